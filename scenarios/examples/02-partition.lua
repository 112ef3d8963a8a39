-- A partition names its sides; a client stands where it is named, else it reaches all.
scenario "example: the smaller side of a partition stands still" {
  tags = { "example" }, seeds = 20,
  cluster = { members = 5 },
  run = function(c)
    c:await_healthy { within = 10*s }
    local few, many = c:client { timeout = 2*s }, c:client()
    local minority, majority = c:minority(), c:majority()
    minority[#minority + 1], majority[#majority + 1] = few, many
    c:partition(minority, majority)

    local revision, err = few:put("k", "few")
    expect(not revision, "a minority commits nothing")
    note("the minority says " .. err.code)
    expect(many:put("k", "many"), "a majority goes on")

    c:heal()
    eventually(function() return few:get("k") == "many" end, { within = 10*s })
  end,
}
