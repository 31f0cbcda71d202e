// What the official SDK makes of the simulator. usage: node conformance.mjs SIMULATOR
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { mkdtempSync, existsSync, readFileSync, rmSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Anthropic from '@anthropic-ai/sdk';

const key = 'sk-test-key-of-the-conformance-test';
const model = 'claude-opus-4-5';
const ask = { model, max_tokens: 1024, messages: [{ role: 'user', content: 'hi' }] };

async function start_simulator(program) {
  const folder = mkdtempSync(join(tmpdir(), 'simulator-'));
  const port_file = join(folder, 'port');
  const listening = new Promise((resolve) => {
    const watcher = watch(folder, () => {
      if (!existsSync(port_file)) return;
      watcher.close();
      resolve();
    });
  });
  const child = spawn(program, ['--listen', '127.0.0.1:0', '--port-file', port_file, '--api-key', key],
                      { stdio: ['ignore', 'inherit', 'inherit'] });
  const ended = once(child, 'exit').then(([code, signal]) => ({ code, signal }));
  await Promise.race([listening, ended.then((e) => { throw new Error(`the simulator ended: ${JSON.stringify(e)}`); })]);
  const url = `http://127.0.0.1:${readFileSync(port_file, 'utf8').trim()}`;
  return { url, child, ended, folder };
}

async function control(url, what, body) {
  const reply = await fetch(`${url}/control/${what}`, body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) });
  assert.equal(reply.status, 200, await reply.clone().text());
  return reply.json();
}

/// The error that the call ends with.
async function failure_of(call) {
  try {
    await call();
  } catch (error) {
    return error;
  }
  assert.fail('the call should have failed');
}

async function unused_port() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

const cases = {
  async 'messages.create answers'({ client }) {
    const message = await client.messages.create({ ...ask, system: 'Be brief.' });
    assert.equal(message.type, 'message');
    assert.equal(message.role, 'assistant');
    assert.equal(message.model, 'claude-opus-4-5-20251101');
    assert.equal(message.stop_reason, 'end_turn');
    assert.match(message.content[0].text, /simulated reply/);
    assert.ok(message.usage.input_tokens > 0 && message.usage.output_tokens > 0);
    assert.match(message._request_id, /^req_/);
  },

  async 'the answer carries the rate limit headers'({ client }) {
    const { response } = await client.messages.create(ask).withResponse();
    for (const kind of ['requests', 'tokens', 'input-tokens', 'output-tokens'])
      for (const what of ['limit', 'remaining', 'reset'])
        assert.ok(response.headers.get(`anthropic-ratelimit-${kind}-${what}`), `${kind} ${what}`);
  },

  async 'messages.stream gives the same text in pieces'({ client, url }) {
    const text = 'Grüße aus 漢字 🙂, one two three four five six seven';
    await control(url, 'script', [{ text }]);
    let pieces = 0;
    let together = '';
    const stream = client.messages.stream(ask).on('text', (piece) => { ++pieces; together += piece; });
    const message = await stream.finalMessage();
    assert.equal(together, text);
    assert.ok(pieces > 2);
    assert.equal(message.content[0].text, text);
    assert.equal(message.stop_reason, 'end_turn');
    assert.ok(message.usage.output_tokens > 1);
  },

  async 'a stream in split frames and split characters arrives whole'({ client, url }) {
    await control(url, 'script', [{ text: 'naïve', fault: 'split_frames', ms: 0 }, { text: 'naïve', fault: 'split_utf8', ms: 0 }]);
    assert.equal(await client.messages.stream(ask).finalText(), 'naïve');
    assert.match(await client.messages.stream(ask).finalText(), /^naïve café 漢字 🙂$/);
  },

  async 'thinking, tool use and refusals have the shapes the SDK knows'({ client, url }) {
    await control(url, 'script', [
      { text: 'answer', fault: 'thinking_first', stream: true },
      { content: [{ type: 'tool_use', id: 'toolu_1', name: 'look', input: { at: 'stars', n: 3 } }], stop_reason: 'tool_use' },
      { fault: 'refusal', stream: true },
    ]);
    const thinking = await client.messages.stream(ask).finalMessage();
    assert.deepEqual(thinking.content.map((block) => block.type), ['thinking', 'text']);
    assert.ok(thinking.content[0].signature);
    const tool = await client.messages.stream(ask).finalMessage();
    assert.deepEqual(tool.content[0].input, { at: 'stars', n: 3 });
    assert.equal(tool.stop_reason, 'tool_use');
    const refusal = await client.messages.stream(ask).finalMessage();
    assert.equal(refusal.stop_reason, 'refusal');
    assert.deepEqual(refusal.content, []);
  },

  async 'a stream that is cut or fails throws'({ client, url }) {
    await control(url, 'script', [
      { fault: 'cut_stream', clean: true }, { fault: 'cut_stream' }, { fault: 'stream_error' },
    ]);
    for (let i = 0; i < 3; ++i) await failure_of(() => client.messages.stream(ask).finalMessage());
  },

  async 'countTokens counts'({ client }) {
    const short = await client.messages.countTokens({ model, messages: ask.messages });
    const long = await client.messages.countTokens({ model, messages: [{ role: 'user', content: 'word '.repeat(500) }] });
    assert.ok(short.input_tokens > 0 && long.input_tokens > short.input_tokens + 400);
  },

  async 'models.list and models.retrieve know the models'({ client }) {
    const ids = [];
    for await (const m of client.models.list()) ids.push(m.id);
    assert.ok(ids.includes('claude-opus-4-5-20251101') && ids.includes('claude-opus-5-5'));
    assert.equal((await client.models.retrieve('claude-haiku-4-5')).id, 'claude-haiku-4-5-20251001');
  },

  async 'a wrong key is an AuthenticationError'({ url }) {
    const stranger = new Anthropic({ apiKey: 'wrong', baseURL: url, maxRetries: 0 });
    const error = await failure_of(() => stranger.messages.create(ask));
    assert.ok(error instanceof Anthropic.AuthenticationError);
    assert.equal(error.status, 401);
    assert.equal(error.error.error.type, 'authentication_error');
    assert.match(error.requestID, /^req_/);
  },

  async 'a wrong request is a BadRequestError and is sent once'({ client, url }) {
    const error = await failure_of(() => client.messages.create({ ...ask, temperature: 0.5 }));
    assert.ok(error instanceof Anthropic.BadRequestError);
    assert.match(error.message, /temperature/);
    const prefill = { model: 'claude-opus-4-6', max_tokens: 9, messages: [...ask.messages, { role: 'assistant', content: 'a' }] };
    assert.ok(await failure_of(() => client.messages.create(prefill)) instanceof Anthropic.BadRequestError);
    assert.equal((await control(url, 'stats')).messages, 2);
  },

  async 'the other statuses have their classes'({ url }) {
    const classes = {
      403: Anthropic.PermissionDeniedError, 404: Anthropic.NotFoundError, 409: Anthropic.ConflictError,
      422: Anthropic.UnprocessableEntityError, 429: Anthropic.RateLimitError, 500: Anthropic.InternalServerError,
      503: Anthropic.InternalServerError, 504: Anthropic.InternalServerError, 529: Anthropic.InternalServerError,
    };
    const client = new Anthropic({ apiKey: key, baseURL: url, maxRetries: 0 });
    for (const [status, kind] of Object.entries(classes)) {
      await control(url, 'script', [{ status: Number(status) }]);
      const error = await failure_of(() => client.messages.create(ask));
      assert.ok(error instanceof kind, `${status}: ${error.constructor.name}`);
      assert.equal(error.status, Number(status));
    }
    await control(url, 'script', [{ status: 413 }, { fault: 'spend_limit' }]);
    assert.equal((await failure_of(() => client.messages.create(ask))).status, 413);
    const spent = await failure_of(() => client.messages.create(ask));
    assert.equal(spent.error.error.details.error_code, 'enforced_spend_limit_reached');
    const nowhere = await failure_of(() => client.messages.create({ ...ask, model: 'claude-nobody' }));
    assert.ok(nowhere instanceof Anthropic.NotFoundError);
  },

  async 'overload is retried, and retry-after is obeyed'({ client, url }) {
    await control(url, 'script', [
      { status: 529, retry_after: 1, headers: { 'retry-after-ms': null } }, { status: 429, headers: { 'retry-after-ms': '1' } },
      { text: 'at last' },
    ]);
    const begin = performance.now();
    const message = await client.messages.create(ask);
    assert.equal(message.content[0].text, 'at last');
    assert.ok(performance.now() - begin >= 950);
    assert.equal((await control(url, 'stats')).messages, 3);
  },

  async 'x-should-retry decides'({ client, url }) {
    await control(url, 'script', [{ status: 529, should_retry: false }]);
    assert.equal((await failure_of(() => client.messages.create(ask))).status, 529);
    assert.equal((await control(url, 'stats')).messages, 1);
    await control(url, 'script', [{ status: 400, should_retry: true, headers: { 'retry-after-ms': '1' } }]);
    await client.messages.create(ask);
    assert.equal((await control(url, 'stats')).messages, 3);
  },

  async 'broken connections are retried'({ client, url }) {
    await control(url, 'script', [{ fault: 'reset' }, { fault: 'garbage_http' }, { text: 'whole' }]);
    assert.equal((await client.messages.create(ask)).content[0].text, 'whole');
    assert.equal((await control(url, 'stats')).messages, 3);
  },

  async 'a stall ends with the timeout of the client'({ url }) {
    await control(url, 'script', [{ fault: 'stall' }]);
    const client = new Anthropic({ apiKey: key, baseURL: url, maxRetries: 0, timeout: 200 });
    assert.ok(await failure_of(() => client.messages.create(ask)) instanceof Anthropic.APIConnectionTimeoutError);
  },

  async 'an answer waits until it is released'({ client, url }) {
    await control(url, 'script', [{ text: 'now', hold: 'gate' }]);
    const answer = client.messages.create(ask);
    answer.catch(() => {});
    assert.deepEqual(await control(url, 'wait?count=1&timeout_ms=10000'), { count: 1, reached: true });
    assert.equal((await control(url, 'stats')).in_flight, 1);
    assert.deepEqual(await control(url, 'release/gate', {}), { released: 1 });
    assert.equal((await answer).content[0].text, 'now');
  },

  async 'no server at all is a connection error'() {
    const client = new Anthropic({ apiKey: key, baseURL: `http://127.0.0.1:${await unused_port()}`, maxRetries: 0 });
    assert.ok(await failure_of(() => client.messages.create(ask)) instanceof Anthropic.APIConnectionError);
  },

  async 'the SDK sends a bearer token and the current version'({ client, url }) {
    await client.messages.create(ask);
    const { requests } = await control(url, 'requests');
    assert.equal(requests[0].headers.authorization, 'Bearer ...test');
    assert.ok(!('x-api-key' in requests[0].headers));
    assert.equal(requests[0].headers['anthropic-version'], '2026-10-21');
    assert.deepEqual(requests[0].body, ask);
  },
};

const simulator = await start_simulator(process.argv[2]);
let failed = 0;
for (const [name, run] of Object.entries(cases)) {
  await control(simulator.url, 'reset', {});
  const client = new Anthropic({ apiKey: key, baseURL: simulator.url });
  try {
    await run({ client, url: simulator.url });
    console.log(`ok      ${name}`);
  } catch (error) {
    ++failed;
    console.log(`FAILED  ${name}\n`, error);
  }
}
simulator.child.kill('SIGTERM');
const end = await simulator.ended;
rmSync(simulator.folder, { recursive: true });
assert.deepEqual(end, { code: 0, signal: null }, 'the simulator stops cleanly');
console.log(failed ? `${failed} of ${Object.keys(cases).length} failed` : `all ${Object.keys(cases).length} passed`);
process.exit(failed ? 1 : 0);
