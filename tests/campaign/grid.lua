-- Values that are known before anything runs, so that all that is said of them is.
experiment "squares, by side and sign" {
  source = "Euclid",
  grid = { side = { 1, 2, 3 }, sign = { "plus", "minus" } },
  trials = 4,
  cluster = function(p) return { members = p.side } end,
  network = function(p) return { latency = constant(p.side * ms) } end,
  run = function(c, p)
    expect(#c:members() == p.side, "the cluster is the point's")
    local square = p.side ^ 2 * (p.sign == "plus" and 1 or -1)
    for i = 1, 2 do record("square", square + (i - 1) / 10) end
  end,
  figure = { kind = "line", x = "side", y = "max of square", by = "sign", title = "it's a square" },
  expect = {
    { stat = "count", of = "square", near = 8, within = 0 },
    { where = { side = 2, sign = "plus" }, stat = "max", of = "square", near = 4.1, within = 0.01, published = true },
    { where = { side = 3, sign = "plus" }, stat = "median", of = "square", near = 5, within = 0.1, published = true, parts = "nine is not five" },
  },
}

experiment "squares, in one heap" {
  trials = 4,
  run = function() record("square", random(9) ^ 2) end,
  figure = { kind = "cdf", x = "square", log_x = true },
  expect = { { stat = "min", of = "square", min = param("least", 1) } },
}
