/** The connection between the command-line stand-ins and the service manager: one line of JSON in each direction. */
import { connect, createServer, type Server } from 'node:net';

export type Request =
  | {
      readonly op: 'systemctl';
      readonly verb: string;
      readonly units: readonly string[];
      readonly options: Options;
    }
  | {
      readonly op: 'notify';
      readonly pid: number;
      readonly assignments: Readonly<Record<string, string>>;
    }
  /** A request to kill the process `pid` when the service manager ends. */
  | { readonly op: 'adopt'; readonly pid: number };

export interface Options {
  readonly noBlock: boolean;
  readonly now: boolean;
  readonly quiet: boolean;
  readonly value: boolean;
  readonly properties: readonly string[];
}

export interface Reply {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export function ask(socket: string, request: Request): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const connection = connect(socket, () => connection.write(`${JSON.stringify(request)}\n`));
    let received = '';
    connection.setEncoding('utf8');
    connection.on('data', (chunk) => {
      received += chunk;
    });
    connection.on('error', reject);
    connection.on('end', () => {
      if (received === '') {
        reject(new Error('the service manager hung up'));
      } else {
        resolve(JSON.parse(received));
      }
    });
  });
}

export function serve(path: string, answer: (request: Request) => Promise<Reply>): Server {
  const server = createServer((connection) => {
    let received = '';
    connection.setEncoding('utf8');
    connection.on('error', () => connection.destroy());
    connection.on('data', async (chunk) => {
      received += chunk;
      if (received.endsWith('\n')) {
        connection.end(JSON.stringify(await answer(JSON.parse(received))));
      }
    });
  });
  server.listen(path);
  return server;
}
