scenario "a failed leader is replaced" {
  claims = { "leader.elected", "my own" },
  measures = { ["leader.elected"] = { "election_time" } },
  note = "counted from the crash, not from the last heartbeat",
  tags = { "leader" },
  seeds = 20,
  cluster = { members = 3 },
  run = function(c)
    local old = c:await_leader { within = 10*s }
    local began = now()
    old:crash()
    local new = c:await_leader { other_than = old, within = 10*s }
    record("election_time", now() - began)
    record("terms", new.term - 1)
    expect(new.term > old.term, "a new leader has a higher term")
  end,
}
