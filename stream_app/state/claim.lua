-- Makes ARGV[1] the owner of a partition and returns what was stored before.
--
-- KEYS[1]  the partition's meta hash
-- ARGV     token, then field and value of each default (set only where nothing is stored)
-- returns  {'claimed', field, value, …} of the meta as it was, or {'torn', next offset}

local meta = KEYS[1]
local torn = redis.call('HGET', meta, 'torn')
if torn and torn ~= '' then
  return {'torn', torn}
end

local before = redis.call('HGETALL', meta)
redis.call('HSET', meta, 'owner', ARGV[1])
for i = 2, #ARGV, 2 do
  redis.call('HSETNX', meta, ARGV[i], ARGV[i + 1])
end
table.insert(before, 1, 'claimed')
return before
