/**
 * Asks an emulated Azure for the events of its VM: `node poll-events.ts URL COUNT kept|new`. Keeps its connection, as a
 * Spot VM does, which asks every second, or opens a new one for each question, as a VM does that asks every ten
 * seconds. Prints the processor time per question in milliseconds. Does not count the first hundred questions, which
 * load and compile the code.
 */
import { scheduledEvents } from '../../src/agent/clouds/azure/scheduled-events.ts';
import { nodeHost } from '../../src/agent/host/node-host.ts';
import { eventMemory, lookForEvents } from '../../src/agent/parts/maintenance/index.ts';

const [url = '', count = '', connection = 'kept'] = process.argv.slice(2);
const memory = eventMemory();
let host = nodeHost();
const through = { ...host, get: (request: Parameters<typeof host.get>[0]) => host.get(request) };
const cloud = scheduledEvents(through, url);

await ask(100);
const before = process.cpuUsage();
await ask(Number(count));
const { user, system } = process.cpuUsage(before);
process.stdout.write(`${(user + system) / 1_000 / Number(count)}\n`);

async function ask(times: number): Promise<void> {
  for (let time = 0; time < times; time += 1) {
    if (connection === 'new') {
      host = nodeHost();
    }
    await lookForEvents(memory, cloud, time);
    if (memory.trouble) {
      throw memory.trouble.error;
    }
  }
}
