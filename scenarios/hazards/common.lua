-- What the scenarios about the membership share. `require "common"`.
local common = {}

-- Three that elect fast, and keep so little of their log that snapshots happen.
common.small = { members = 3, election = 500*ms, heartbeat = 50*ms, snapshot_entries = 40, catchup_entries = 20, max_learners = 4 }

-- The health check wants members that have been connected for a while.
function common.settle() sleep(6*s) end

-- A cluster that has been at work for a while: answers its client, who wrote a = "1".
function common.settled(c)
  local cli = c:client()
  cli:put("a", "1")
  common.settle()
  return cli
end

-- Take a member out of the cluster, and its data off its machine.
function common.clear_out(c, m)
  expect(c:remove_member(m), "removed")
  eventually(function() return m.exit == "removed" end, { within = 20*s })
  m:wipe()
end

return common
