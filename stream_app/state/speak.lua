-- Says that workers of a state version live, and which version may write the values.
--
-- KEYS[1]  the hash of the company: `epochs`, `speaker`, `reign`; beside it live
--          <key>:alive:<version>, gone when no worker of that version was heard for its lease, and
--          <key>:quiet, there while the last speaker may not know yet that it is silent
-- ARGV     state version, lease in milliseconds, '1' if it has counted all there is,
--          the time of who asks, in microseconds
-- returns  {speaker or '', reign, milliseconds of quiet or less than 0, '1' if a newer one speaks}

local key, version, lease = KEYS[1], ARGV[1], ARGV[2]
local mine = key .. ':alive:' .. version

local epoch = redis.call('HGET', mine, 'epoch')
if not epoch then
  epoch = redis.call('HINCRBY', key, 'epochs', 1)
  redis.call('HSET', mine, 'epoch', epoch)
end
redis.call('HSET', mine, 'lease', lease)
redis.call('PEXPIRE', mine, lease)

local speaker = redis.call('HGET', key, 'speaker')
local rival = speaker and speaker ~= version
  and redis.call('HGET', key .. ':alive:' .. speaker, 'epoch')
local newer = rival and tonumber(rival) > tonumber(epoch)
if speaker ~= version and ARGV[3] == '1' and not newer then
  redis.call('HSET', key, 'speaker', version)
  -- The time, so that a Redis that falls back does not give the number of one reign to another.
  local reign = tonumber(redis.call('HGET', key, 'reign') or '0')
  local following = math.max(reign + 1, ARGV[4])
  redis.call('HSET', key, 'reign', string.format('%.0f', following))
  if rival then
    local theirs = redis.call('HGET', key .. ':alive:' .. speaker, 'lease') or lease
    redis.call('HSET', key .. ':quiet', 'before', version)
    redis.call('PEXPIRE', key .. ':quiet', math.max(lease, theirs))
  end
  speaker = version
end

local reign = tonumber(redis.call('HGET', key, 'reign') or '0')
return {speaker or '', reign, redis.call('PTTL', key .. ':quiet'), newer and '1' or '0'}
