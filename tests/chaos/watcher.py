"""Looks at Redis all the time, and writes down for the auditor what it holds at one moment."""

import json
import threading

import redis

from plan import PREFIX

LOOK_S = 0.1
# One script, so that everything is of the same moment.
LOOK = """
local function key(name) return ARGV[1] .. ':' .. name end
local owned, said = {}, {}
for _, name in ipairs(redis.call('KEYS', key('owned:*'))) do
  owned[#owned + 1] = {name, redis.call('HKEYS', name)}
end
for _, name in ipairs(redis.call('ZRANGE', key('instances'), 0, -1)) do
  said[#said + 1] = {name, redis.call('GET', key('status:') .. name) or ''}
end
local died = {}
local metas = redis.call('HGETALL', key('meta'))
for i = 1, #metas, 2 do
  local deaths = tonumber(string.match(metas[i + 1], '^%d+ (%d+)') or 0)
  if deaths > 1 then died[#died + 1] = {redis.call('HGET', key('body'), metas[i]) or '', deaths} end
end
return {redis.call('TIME'), redis.call('ZRANGE', key('delayed'), 0, -1, 'WITHSCORES'),
  redis.call('HGETALL', key('delays')), redis.call('GET', key('paused')) or '', owned, said, died}
"""


class Watcher(threading.Thread):
    """One line of JSON a look: sightings.py tells what it holds."""

    def __init__(self, connect, path):
        super().__init__(daemon=True)
        self._connect, self._path = connect, path
        self._ends = threading.Event()
        self.failure = None

    def stop(self):
        self._ends.set()

    def run(self):
        try:
            self._look_until_stopped()
        except Exception as failure:
            self.failure = repr(failure)

    def _look_until_stopped(self):
        client = self._connect()
        with open(self._path, "w") as f:
            while not self._ends.wait(LOOK_S):
                try:
                    seen = client.eval(LOOK, 0, PREFIX)
                except redis.exceptions.RedisError:
                    continue  # it is away, or its connections were killed
                f.write(json.dumps(self._as_line(seen)) + "\n")

    def _as_line(self, seen):
        (seconds, micros), delayed, delays, paused, owned, said, died = seen
        return {
            "at": int(seconds) * 1000 + int(micros) // 1000,
            "delayed": {text(lane): int(float(due)) for lane, due in zip(delayed[::2], delayed[1::2])},
            "delays": {text(lane): text(why) for lane, why in zip(delays[::2], delays[1::2])},
            "paused": text(paused),
            "owned": {text(name).split(":", 2)[2]: [text(lane) for lane in lanes] for name, lanes in owned},
            "said": {text(name): status_of(raw) for name, raw in said if raw},
            "died": {text(job): deaths for job, deaths in died},
        }


def status_of(raw):
    status = json.loads(raw)
    kept = {name: status[name] for name in ("in_flight", "taken", "paused")}
    return {**kept, "gate": status["api"]["kind"]}


def text(raw):
    return raw.decode("utf-8", "replace")
