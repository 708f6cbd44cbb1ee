-- Ends the reign that is: whoever speaks has another one now, and looks at what stands first.
--
-- KEYS[1]  the hash of the company, as in speak.lua
-- ARGV     the time of who asks, in microseconds
-- returns  the new reign

local reign = tonumber(redis.call('HGET', KEYS[1], 'reign') or '0')
-- The time, so that a Redis that falls back does not give the number of one reign to another.
local following = math.max(reign + 1, ARGV[1])
redis.call('HSET', KEYS[1], 'reign', string.format('%.0f', following))
return {following}
