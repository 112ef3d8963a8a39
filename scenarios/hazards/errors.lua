-- What a client gets that asks for what cannot be: the answers are etcd's.
scenario "errors: each has its own" {
  tags = { "errors" }, seeds = 3,
  cluster = { members = 3 },
  run = function(c)
    c:await_leader { within = 10*s }
    local cli = c:client()
    local function refused(code, ok, err)
      expect(ok == false and err.code == code, "refused as it should be: " .. code)
      expect(not err.unknown, "and for sure")
    end
    refused("request too large", cli:put("k", string.rep("x", 10*MiB)))
    refused("key is not provided", cli:put("", "v"))
    refused("key is not provided", cli:get(""))
    refused("key is not provided", cli:delete(""))
    refused("lease not found", cli:put("k", "v", { lease = 12345 }))
    refused("lease not found", cli:put("k", "v", { lease = -1 }))
    refused("key not found", cli:put("k", nil, { ignore_value = true }))
    refused("key not found", cli:put("k", "v", { ignore_lease = true }))
    refused("value is provided", cli:put("k", "v", { ignore_value = true }))
    refused("lease is provided", cli:put("k", "v", { ignore_lease = true, lease = 1 }))
    refused("future revision", cli:get("k", { rev = 10000 }))
    for i = 1, 5 do cli:put("k", tostring(i)) end
    expect(cli:compact(4), "once")
    refused("compacted", cli:get("k", { rev = 3 }))
    refused("compacted", cli:compact(4))
    refused("future revision", cli:compact(99999))
    expect(cli:get("k", { rev = 4 }) == "3", "the revision itself is there")
    local ops = {}
    for i = 1, 129 do ops[i] = { "put", "k" .. i, "v" } end
    refused("too many operations in txn request", cli:txn { success = ops })
    refused("duplicate key given in txn request", cli:txn { success = { { "put", "a", "1" }, { "put", "a", "2" } } })
    refused("duplicate key given in txn request", cli:txn { failure = { { "put", "a", "1" }, { "delete", "a", "b" } } })
    refused("key is not provided", cli:txn { success = { { "put", "", "1" } } })
    local nested = cli:txn {
      compare = { { "k", "version", ">", 0 } },
      success = { { "txn", { compare = { { "none", "create", "=", 0 } }, success = { { "put", "inner", "1" } } } } },
    }
    expect(nested.succeeded and cli:get("inner") == "1", "transactions stand in transactions")
    local function all_of(first, last)
      return cli:txn { compare = { { first, "version", ">", 0, last } } }.succeeded
    end
    expect(all_of("inner", "l"), "a comparison of a range holds when it does for every key")
    expect(not all_of("x", "z"), "and one without any is that of an absent key")
    refused("too large lease ttl", cli:grant(1e10))
    local least = cli:grant(0)
    expect(least:ttl() >= 1, "too short is raised to the least")
    expect(cli:grant(-5), "whatever is too short")
    local watch = cli:watch("k", { rev = 2 })
    local event, err = watch:next { within = 5*s }
    refused("compacted", event, err)
    watch = cli:watch("b", { ["end"] = "a" })
    refused("watcher range is empty", watch:next { within = 5*s })
    refused("future revision", cli:range("a", "z", { rev = 10000 }))
    refused("lease not found", cli:txn { success = { { "put", "a", "1", { lease = -1 } } } })
  end,
}

-- A leader that applies far behind what it commits takes no more.
scenario "errors: too many requests" {
  tags = { "errors" }, seeds = 1,
  cluster = { members = 1 },
  run = function(c)
    local leader = c:await_leader { within = 10*s }
    local cli = c:client { timeout = 200*ms }
    eventually(function() return cli:put("first", "v") end, { within = 10*s })
    leader:slow(1e6, "apply")
    for batch = 1, 3 do
      for i = 1, 2000 do cli:async("put", "k" .. i % 10, "v") end
      sleep(400*ms)
    end
    local ok, err = cli:put("k", "v")
    expect(not ok and err.code == "too many requests", "said before it is taken")
    leader:slow(1, "apply")
  end,
}
