-- What scenarios may use beside Lua itself; `faultline help api` says what it is.
std = {
  read_globals = {
    "assert", "error", "getmetatable", "setmetatable", "ipairs", "pairs", "next", "pcall", "xpcall", "print", "rawequal",
    "rawget", "rawlen", "rawset", "require", "select", "tonumber", "tostring", "type", "load", "math", "string", "table",
    "utf8", "coroutine",
    "scenario", "experiment", "us", "ms", "s", "min", "hour", "KiB", "MiB", "ppm", "now", "sleep", "spawn", "expect",
    "eventually", "always", "sometimes", "record", "note", "random", "choose", "shuffle", "param", "at", "when", "uniform",
    "normal", "lognormal", "exponential", "pareto", "constant", "empirical",
  },
}
max_line_length = 120
exclude_files = { "**/faultline.d.lua" }
unused_args = false
