-- The one commit point: state, counts, outbox and offset of a partition change together or not at all.
--
-- KEYS[1]  the partition's meta hash
-- KEYS[2…] the hashes to change (outbox, flat tables, groups), none of them twice
-- ARGV[1]  owner token
-- ARGV[2]  the offset that must be stored ('' for: none yet)
-- ARGV[3]  the offset to store
-- ARGV[4…] for every key, meta included and first: number of values to set (fields and values
--          alternate, so twice the fields), number of fields to delete, the values, the fields
-- returns  {'ok'}, {'owner' | 'offset', stored owner, stored offset}, or {'torn', next offset}
--
-- Redis does not undo a script that dies half way. So everything that can fail is tried before the
-- first write, and the first write is one that a full, read-only or broken Redis refuses. Should
-- it die all the same, `torn` stays behind and nobody builds on the wreck.

local CHUNK = 4000 -- unpack() fails somewhere above 7,900 values

local meta = KEYS[1]
local stored = redis.call('HMGET', meta, 'owner', 'offset', 'torn')
local owner, offset, torn = stored[1] or '', stored[2] or '', stored[3] or ''
if torn ~= '' then
  return {'torn', torn}
end
if owner ~= ARGV[1] then
  return {'owner', owner, offset}
end
if offset ~= ARGV[2] then
  return {'offset', owner, offset}
end

local at = 4
for k = 1, #KEYS do
  local sets, dels = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
  if not sets or not dels or sets % 2 ~= 0 or sets < 0 or dels < 0 then
    return redis.error_reply('ERR commit: bad counts for key ' .. k)
  end
  at = at + 2 + sets + dels
  local kind = redis.call('TYPE', KEYS[k]).ok
  if kind ~= 'hash' and kind ~= 'none' then
    return redis.error_reply('WRONGTYPE commit: ' .. KEYS[k] .. ' is a ' .. kind .. ', not a hash')
  end
end
if at ~= #ARGV + 1 then
  return redis.error_reply('ERR commit: ' .. #ARGV .. ' arguments, counts say ' .. (at - 1))
end

redis.call('HSET', meta, 'torn', ARGV[3])

local function in_chunks(command, key, from, count)
  local last = from + count - 1
  while from <= last do
    local to = math.min(from + CHUNK - 1, last)
    redis.call(command, key, unpack(ARGV, from, to))
    from = to + 1
  end
end

at = 4
for k = 1, #KEYS do
  local sets, dels = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
  in_chunks('HSET', KEYS[k], at + 2, sets)
  in_chunks('HDEL', KEYS[k], at + 2 + sets, dels)
  at = at + 2 + sets + dels
end

redis.call('HSET', meta, 'torn', '', 'offset', ARGV[3])
return {'ok'}
