-- A scenario sets something up, breaks it, and says what must be true. Everything else
-- (one leader a term, nothing lost, a linearizable store …) is judged without asking.
scenario "example: a failed leader is replaced" {
  tags = { "example" }, seeds = 20,
  cluster = { members = 3 },
  run = function(c)
    local cli = c:client()
    expect(cli:put("answer", "42"))

    local old = c:leader()
    old:crash()
    local new = c:await_leader { other_than = old, within = 10*s }

    expect(new.term > old.term, "a new leader has a higher term")
    expect(cli:get("answer") == "42", "an acknowledged write outlives its leader")
  end,
}
