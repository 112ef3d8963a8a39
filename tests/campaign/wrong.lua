scenario "sleeps too soundly" {
  cluster = { members = 3 },
  run = function(c)
    slep(1*s)
  end,
}
