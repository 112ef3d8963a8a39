-- Every way to ask the store: conditions of all kinds and several at once, branches of all
-- operations, old revisions, ranges that are sorted, cut and counted, records as they were
-- before. What is right is the judge's business: it has a store of its own.

local keys = { "a", "b", "ba", "c", "d" }

local relations = { "=", "!=", "<", ">" }

-- About what is there, so that conditions hold as often as not.
local function condition(seen)
  local key, about = choose(keys), choose { "value", "version", "create", "mod", "lease" }
  local known = seen[key]
  local number = known and known[about .. "_revision"] or known and known[about] or 0
  if about == "value" then return { key, about, choose(relations), known and known.value or "1" } end
  return { key, about, choose(relations), math.max(0, math.tointeger(number) + random(-1, 1)) }
end

local function range_options(seen)
  local options = {}
  if random(3) == 1 then options.limit = random(3) end
  if random(3) == 1 then options.sort = choose { "key", "version", "create", "mod", "value" } end
  if random(6) == 1 then options.keys_only = true end
  if random(6) == 1 then options.count_only = true end
  if random(3) == 1 and seen.revision then options.rev = math.max(1, seen.revision - random(0, 20)) end
  if random(6) == 1 then options.serializable = true end
  return options
end

local function put_options(seen, key, lease)
  local options = {}
  if lease and random(3) == 1 then options.lease = lease end
  if random(3) == 1 then options.prev_kv = true end
  if seen[key] and random(6) == 1 then options.ignore_lease, options.lease = true, nil end
  return options
end

-- No two changes of a key in a branch.
local function branch(seen, lease, is_nested)
  local ops, rest = {}, shuffle { table.unpack(keys) }
  for i = 1, random(0, 3) do
    local what, key = random(4), rest[i]
    if what == 1 then ops[i] = { "get", key }
    elseif what == 2 then ops[i] = { "delete", key }
    else ops[i] = { "put", key, tostring(random(9)), what == 3 and lease and { lease = lease } or nil } end
  end
  if not is_nested and random(4) == 1 then
    local inner = branch(seen, lease, true)
    for i = #inner, 1, -1 do -- What is changed inside is not changed outside.
      for _, outer in ipairs(ops) do
        if inner[i] and outer[2] == inner[i][2] then table.remove(inner, i) end
      end
    end
    ops[#ops + 1] = { "txn", { compare = { condition(seen) }, success = inner, failure = { { "get", choose(keys) } } } }
  end
  return ops
end

local function learn(seen, revision, records)
  if revision then seen.revision = revision end
  for _, record in ipairs(records or {}) do seen[record.key] = record end
end

local function ask(cli, seen, lease)
  local what, key = random(6), choose(keys)
  if what == 1 then
    learn(seen, (cli:put(key, tostring(random(9)), put_options(seen, key, lease))))
  elseif what == 2 then
    cli:delete(key, random(2) == 1 and choose { "c", "e", "\0" } or nil, { prev_kv = random(2) == 1 })
  elseif what == 3 then
    local list = cli:range(choose { "a", "b" }, choose { "c", "e", "\0" }, range_options(seen))
    if list then learn(seen, list.revision, list) end
  else
    local compare = {}
    for i = 1, random(0, 3) do compare[i] = condition(seen) end
    cli:txn { compare = compare, success = branch(seen, lease), failure = branch(seen, lease) }
  end
end

scenario "store: whatever is asked" {
  tags = { "store", "txn" }, seeds = 20,
  cluster = { members = 3, snapshot_entries = 30, catchup_entries = 5 },
  run = function(c)
    c:await_leader { within = 10*s }
    for _ = 1, 4 do
      spawn(function()
        local cli, seen = c:client { timeout = 2*s }, {}
        for round = 1, 15 do
          local lease = random(2) == 1 and cli:grant(random(2, 4)) or nil
          for _ = 1, 10 do ask(cli, seen, lease) end
          if lease and random(2) == 1 then lease:revoke() end
          if seen.revision and random(4) == 1 then cli:compact(math.max(1, seen.revision - random(0, 30))) end
          sleep(random(0.0, 0.5))
        end
      end)
    end
    for _ = 1, 3 do
      sleep(random(0.5, 2.0))
      local m = choose(c:members())
      m:crash()
      sleep(random(0.2, 1.0))
      m:restart()
    end
    sleep(5*s)
  end,
}
