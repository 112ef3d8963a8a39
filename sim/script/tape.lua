-- Takes down what a scenario does to its world: each call of a method, as Lua that says
-- the same with literal arguments (tape.h). `native` keeps it. Who calls what is put
-- around the methods from outside, so that nothing here is part of a run without a tape.
-- SPDX-License-Identifier: Apache-2.0
local native = ...
local globals = native.globals
local concat, error, format, math_type = table.concat, error, string.format, math.type
local huge, next, pairs, pcall, running = math.huge, next, pairs, pcall, coroutine.running
local select, tonumber, tostring, type = select, tonumber, tostring, type

local names = {} -- What calls have returned and later ones may be about: its name.
local counts = {} -- How many of each kind have a name.
local doing = {} -- Coroutines in the middle of a call that is taken down.
local polling = {} -- Coroutines in a poll: eventually, always.
local point -- Of the callback of `at` under way: how that is written.

local keywords = {}
for word in ([[and break do else elseif end false for function goto if in local nil not or repeat return then
true until while]]):gmatch "%a+" do keywords[word] = true end

-- --- values ---

-- The shortest that a scenario would read as the same number: what is beyond 14 digits,
-- neither a duration nor a text of it shows.
local function write_number(x)
  if math_type(x) == "integer" then return format("%d", x) end
  if x ~= x or x == huge or x == -huge then return x ~= x and "(0/0)" or x > 0 and "(1/0)" or "(-1/0)" end
  if x == x // 1 and x > -1e15 and x < 1e15 then return format("%.0f", x) end
  local whole = format("%.14g", x)
  for digits = 1, 14 do
    local text = format("%." .. digits .. "g", x)
    if format("%.14g", tonumber(text)) == whole then return text end
  end
end

local function write_string(x)
  return (format("%q", x):gsub("\\\n", "\\n"))
end

local write

local function write_key(key)
  if type(key) == "string" and key:find "^[%a_][%w_]*$" and not keywords[key] then return key end
  return "[" .. write(key) .. "]"
end

-- Keys in order: first the list, then the rest.
local function write_table(x, depth)
  if depth > 20 then
    native.fail "found a table in itself"
    return "nil"
  end
  local parts, size = {}, #x
  for i = 1, size do parts[i] = write(x[i], depth + 1) end
  for key, value in pairs(x) do
    local is_listed = math_type(key) == "integer" and key >= 1 and key <= size
    if not is_listed then parts[#parts + 1] = write_key(key) .. " = " .. write(value, depth + 1) end
  end
  return #parts == 0 and "{}" or "{ " .. concat(parts, ", ") .. " }"
end

function write(x, depth)
  local kind = type(x)
  if x == nil then return "nil" end
  if kind == "number" then return write_number(x) end
  if kind == "string" then return write_string(x) end
  if kind == "boolean" then return tostring(x) end
  if names[x] then return names[x] end
  if kind == "table" then return write_table(x, depth or 0) end
  local text = kind == "userdata" and native.written(x)
  if not text then native.fail("found a " .. kind .. " that cannot be written down") end
  return text or "nil"
end

local function write_call(self, method, ...)
  local count, parts = select("#", ...), {}
  for i = 1, count do parts[i] = write((select(i, ...))) end
  while #parts > 0 and parts[#parts] == "nil" do parts[#parts] = nil end
  local called = write(self) .. ":" .. method
  if #parts == 1 and parts[1]:sub(1, 1) == "{" then return called .. " " .. parts[1] end
  return called .. "(" .. concat(parts, ", ") .. ")"
end

-- --- calls ---

local function name_result(act, method, value)
  local kind = method == "lock" and value and "lock" or type(value) == "userdata" and native.kind(value)
  if kind and not names[value] then
    counts[kind] = (counts[kind] or 0) + 1
    names[value] = kind .. counts[kind]
    native.name(act, names[value])
  end
end

local function finish(task, act, method, mode, is_good, ...)
  doing[task] = nil
  if not is_good then
    native.void(act)
    error((...), 0)
  end
  if mode == "demand" then native.void(act) else name_result(act, method, (...)) end
  return ...
end

-- mode: "act" answers at once, "call" waits, "demand" waits and does nothing.
local function take_down(methods, method, mode)
  local original = methods[method]
  methods[method] = function(self, ...)
    local task = running()
    if doing[task] then return original(self, ...) end
    local text = write_call(self, method, ...)
    if point and point[3] then text = format("if m.id == %d then %s end", point[3], text) end
    local act = native.act(text, mode, point, polling[task])
    doing[task] = true
    return finish(task, act, method, mode, pcall(original, self, ...))
  end
end

-- What is not among these only asks, or is made of those that are.
local modes = {
  cluster = {
    act = "bootstrap start partition isolate cut link heal network client load",
    call = [[await_healthy await_converged add_member promote remove_member change_members update_member
      move_leader backup restore force_new_cluster]],
    demand = "await_leader await_applied",
  },
  member = { act = "crash power_off restart stop pause resume wipe image stall slow disk clock" },
  client = {
    act = "pause resume disconnect clock watch",
    call = "put get range delete txn compact grant lock unlock members status leases alarms disarm",
  },
  lease = { act = "auto", call = "ttl keepalive revoke" },
  watch = { act = "progress cancel" },
  load = { act = "stop" },
  backup = { act = "truncate flip copy" },
  discovery = { act = "crash restart pause resume" },
}
for class, kinds in pairs(modes) do
  for mode, methods in pairs(kinds) do
    for method in methods:gmatch "[%a_]+" do take_down(native.classes[class], method, mode) end
  end
end

-- --- points ---

local original_at = globals.at

-- A callback's acts are written as an `at` of their own, for the occasion that they
-- were done on: the nth match of one member.
function globals.at(what, options, fn)
  if type(options) == "function" then options, fn = nil, options end
  if type(fn) ~= "function" then return original_at(what, options, fn) end
  local place, fired = native.mark(), {}
  return original_at(what, options, function(m, event)
    local before = point
    fired[m] = (fired[m] or 0) + 1
    local nth = options and options.nth or fired[m] * (options and options.every or 1)
    local peer = options and options.peer and ", peer = " .. write(options.peer) or ""
    local is_late = m.id > native.members() -- There was nobody of this name when `at` was called.
    local member = is_late and "" or "member = " .. write(m) .. ", "
    point = { place, format("at(%q, { %snth = %d%s }", what, member, nth, peer), is_late and m.id }
    fn(m, event)
    point = before
  end)
end

-- --- demands ---

-- The expression as its author wrote it, the names in it bound to what they are now.
-- One in which nothing of the world is asked, its clock aside, would fail for ever.
local function quote(call, ...)
  local expression, bound = native.quote(call)
  local left, right, is_live = {}, {}, false
  for name, value in pairs(bound) do
    is_live = is_live or type(value) == "userdata"
    local is_global = globals[name] == value
    local text = is_global and name or write(value)
    if text ~= name then left[#left + 1], right[#right + 1] = name, text end
  end
  if not is_live then native.fail "it demands something of what the script has made itself" end
  local rest = {}
  for i = 1, select("#", ...) do rest[i] = ", " .. write((select(i, ...))) end
  local head = #left > 0 and "local " .. concat(left, ", ") .. " = " .. concat(right, ", ") .. "; " or ""
  return head .. call .. "(" .. expression .. concat(rest) .. ")"
end

local original_expect = globals.expect

function globals.expect(cond, ...)
  if not cond then native.act(quote("expect", ...), "demand") end
  return original_expect(cond, ...)
end

local function come_true(act, task, outer, ...)
  polling[task] = outer
  native.void(act)
  return ...
end

local function take_down_poll(call, original)
  return function(fn, ...)
    if type(fn) ~= "function" then return original(fn, ...) end
    local act, task = native.act(quote(call, ...), "demand"), running()
    local outer = polling[task]
    polling[task] = true
    return come_true(act, task, outer, original(fn, ...))
  end
end
globals.eventually = take_down_poll("eventually", globals.eventually)
globals.always = take_down_poll("always", globals.always)

-- --- the world that is asked for ---

return function(name, value)
  local is_empty = type(value) == "table" and next(value) == nil
  if value ~= nil and not is_empty then native.option(name, write(value)) end
end
