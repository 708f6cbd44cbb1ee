-- Takes what was sent out of a partition's outbox, except what changed since.
--
-- KEYS     meta hash, outbox hash
-- ARGV     owner token, then name and sent version of each entry
-- returns  {'ok', number removed}, or {'owner', stored owner}

local CHUNK = 2000

local owner = redis.call('HGET', KEYS[1], 'owner') or ''
if owner ~= ARGV[1] then
  return {'owner', owner}
end

local removed = 0
for from = 2, #ARGV, 2 * CHUNK do
  local last = math.min(from + 2 * CHUNK - 1, #ARGV)
  local names = {}
  for i = from, last, 2 do
    names[#names + 1] = ARGV[i]
  end
  local values = redis.call('HMGET', KEYS[2], unpack(names))
  local unchanged = {}
  for i = 1, #names do
    local version = values[i] and string.match(values[i], '^[^:]*')
    if version == ARGV[from + 2 * i - 1] then
      unchanged[#unchanged + 1] = names[i]
    end
  end
  if #unchanged > 0 then
    removed = removed + redis.call('HDEL', KEYS[2], unpack(unchanged))
  end
end
return {'ok', removed}
