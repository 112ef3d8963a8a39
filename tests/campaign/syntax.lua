scenario "never closed" {
  run = function(c)
    sleep(1*s)
}
