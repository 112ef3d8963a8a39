scenario "asks too much" {
  cluster = { members = 3 },
  run = function(c)
    local old = c:await_leader { within = 10*s }
    old:crash()
    local new = c:await_leader { other_than = old, within = param("within", 1.0)*s }
    sometimes("another leader", new ~= nil)
  end,
}
