// A conversation with engram from Node 18 or later (ioredis): one message a line.
//
//   npm ci
//   printf '%s\n' 'My name is Ada.' 'What is my name?' | node chat.mjs [USER [SESSION]]
//
// ENGRAM_REDIS_URL says where Redis is: redis://127.0.0.1:6379.

import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';

/** An error reply. `type` is for programs, `message` for people. */
class EngramError extends Error {
  constructor({ type, message, retryable }) {
    super(`${type}: ${message}`);
    this.type = type;
    this.retryable = retryable;
  }
}

/**
 * Returns the reply. `waiting` is a connection for this alone: BLPOP keeps it busy until the reply is there.
 * Without `session`, engram begins a conversation and names it in the reply.
 */
async function ask(pushing, waiting, { user, session, message, patience = 600, tries = 3 }) {
  const id = randomUUID();
  // The very same bytes with the same id may be pushed again at any time: they have their effect once.
  const job = JSON.stringify({ id, user_id: user, session_id: session, message });
  for (let attempt = 1; ; attempt++) {
    await pushing.lpush('engram:jobs', job);
    const popped = await waiting.blpop(`engram:reply:${id}`, patience);
    if (popped === null) throw new Error(`no reply in ${patience} s; is engramd running?`);
    const reply = JSON.parse(popped[1]);
    if (reply.status === 'ok') return reply;
    const error = new EngramError(reply.error);
    if (!error.retryable || attempt === tries) throw error;
    await pause(1000 * attempt);
  }
}

const [user = userInfo().username, givenSession] = process.argv.slice(2);
let session = givenSession;
const url = process.env.ENGRAM_REDIS_URL ?? 'redis://127.0.0.1:6379';
const pushing = new Redis(url, { maxRetriesPerRequest: 3 });
const waiting = pushing.duplicate();
// Commands say by themselves when the connection fails for good; this is for what happens in between.
for (const connection of [pushing, waiting]) {
  connection.on('error', (error) => console.error(`engram: Redis: ${error.message}`));
}

try {
  for await (const message of createInterface({ input: process.stdin })) {
    const reply = await ask(pushing, waiting, { user, session, message });
    session = reply.session_id;
    console.log(reply.reply);
    for (const { action, type, content } of reply.memories) console.log(`  [${action} ${type}: ${content}]`);
  }
} catch (error) {
  console.error(`engram: ${error.message}`);
  process.exitCode = 1;
} finally {
  pushing.disconnect();
  waiting.disconnect();
}
