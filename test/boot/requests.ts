/** Starts programs that answer at ports of hosts, and sends requests to them from outside or from another host. */
import { runProgram } from '../lab/processes.ts';
import { type BootedHost, eventually, standInNode } from './booted-host.ts';

/** A port with its protocol, such as `80/tcp`. */
export type Port = `${number}/${'tcp' | 'udp'}`;

/**
 * Starts a program on a host that answers every request to these ports with `name`; with `netns`, the program runs in
 * this network namespace of the host. Resolves once the program listens.
 */
export async function listen(
  host: BootedHost,
  name: string,
  ports: readonly Port[],
  netns?: string,
): Promise<void> {
  const program = [...within(netns), standInNode, '-e', listener, name, ...ports];
  await host.ask('systemd-run', '--quiet', '--unit', `listener-${name}`, ...program);
  const [first] = ports;
  const isHeard = async () => (await host.journal('-u', `listener-${name}`)).some(isListening);
  await eventually(`${name} to listen at ${first}`, isHeard, 30_000);
}

function isListening({ message }: { readonly message: string }): boolean {
  return message === 'listening';
}

/**
 * Sends a request to a port: from outside, from the host `from`, or from this host's network namespace `netns`.
 * Resolves to the answer, to `open` if the port accepts a connection but sends nothing, or to `no answer`.
 */
export async function answerAt(
  address: string,
  port: Port,
  from?: BootedHost,
  netns?: string,
): Promise<string> {
  const args = ['-e', request, address, port];
  if (from) {
    return from.ask('env', ...within(netns), standInNode, ...args);
  }
  return answered(args);
}

/** Sends a TCP request from `source`, an address of this process; resolves as `answerAt` does. */
export function answerFrom(source: string, address: string, port: Port): Promise<string> {
  return answered(['-e', request, address, port, source]);
}

async function answered(args: readonly string[]): Promise<string> {
  return (await runProgram(process.execPath, args, {})).stdout.trim();
}

function within(netns: string | undefined): readonly string[] {
  return netns === undefined ? [] : ['nsenter', `--net=/run/netns/${netns}`];
}

const listener = `const [name, ...ports] = process.argv.slice(1);
let waiting = ports.length;
const ready = () => { waiting -= 1; if (waiting === 0) console.log('listening'); };
for (const port of ports) {
  const [number, protocol] = port.split('/');
  if (protocol === 'tcp') {
    const answer = (socket) => socket.on('error', () => {}).end(name);
    require('node:net').createServer(answer).listen(Number(number), '0.0.0.0', ready);
  } else {
    const socket = require('node:dgram').createSocket('udp4');
    socket.on('message', (_, from) => socket.send(name, from.port, from.address)).bind(Number(number), ready);
  }
}`;

/**
 * A script that sends a request and prints the answer; without an answer within two seconds, it prints `open` or `no
 * answer`.
 */
const request = `const [address, port, localAddress] = process.argv.slice(1);
const [number, protocol] = port.split('/');
let found = 'no answer';
const end = () => { console.log(found); process.exit(); };
setTimeout(end, 2_000);
const hear = (answer) => { found = String(answer); end(); };
if (protocol === 'tcp') {
  const socket = require('node:net').connect({ port: Number(number), host: address, localAddress }, () => { found = 'open'; });
  socket.on('data', hear).on('error', end).on('close', end);
} else {
  const socket = require('node:dgram').createSocket('udp4').on('message', hear).on('error', end);
  socket.send('?', Number(number), address);
}`;
