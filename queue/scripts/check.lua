-- Whether this user may do all that the daemon does, and Redis takes it now. Changes nothing but P:probe, which goes at
-- once; what it publishes is an empty object, at an address that nobody waits at.
-- ARGV[3] how keys of replies may begin besides P:reply:, as a list in JSON.
-- Returns what was refused; '' = nothing.

-- What lacking_right() leaves out, and what is done at the keys and channels of replies.
local function lacking_elsewhere(reply_prefixes)
  local commands = {{'TIME'}, {'ZSCORE', instances, ''}, {'ZREM', instances, ''}}
  reply_prefixes[#reply_prefixes + 1] = key('reply:')
  -- No id of a job can be this. On a cluster the hash tag is in `begin`: the first one counts.
  local nobody = '{probe of engramd}'
  for _, begin in ipairs(reply_prefixes) do
    commands[#commands + 1] = {'PEXPIRE', begin .. nobody, '1000'}
    commands[#commands + 1] = {'PUBLISH', begin .. nobody, '{}'}
  end
  return first_refused(commands)
end

local refused = lacking_right() or lacking_elsewhere(cjson.decode(ARGV[3]))
if refused then return refused end
check_types()
return ''
