import { createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** An impostor's reaction to the first bytes of a client on a connection. */
export type Trick = (socket: Socket) => void;

const head = 'HTTP/1.1 200 OK\r\n';

/** Reactions that are not a complete answer. Slow and endless reactions continue until the connection is closed. */
export const tricks = {
  'switches to another protocol': (socket) =>
    void socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n',
    ),
  'closes the connection without an answer': (socket) => void socket.end(),
  'resets the connection': (socket) => void socket.resetAndDestroy(),
  'closes the connection within the head': (socket) => void socket.end('HTTP/1.1 200 O'),
  'closes the connection within the body': (socket) => void socket.end(`${head}Content-Length: 10\r\n\r\nab`),
  'sends nothing': () => {},
  'does not speak HTTP': (socket) => void socket.write('SSH-2.0-OpenSSH_9.2\r\n'),
  'sends a head byte by byte': (socket) => drip(socket, 'HTTP/1.1 200 OK\r\nX: ', 'x'),
  'sends endless headers': (socket) => flood(socket, head, `X: ${'x'.repeat(1_000)}\r\n`),
  'sends endless interim answers': (socket) => flood(socket, '', 'HTTP/1.1 103 Early Hints\r\n\r\n'),
  'sends a body byte by byte': (socket) =>
    drip(socket, `${head}Transfer-Encoding: chunked\r\n\r\n`, '1\r\nx\r\n'),
  'sends an endless body': (socket) => flood(socket, `${head}\r\n`, 'x'.repeat(65_536)),
} satisfies Record<string, Trick>;

/** Runs an impostor with this reaction on a free port of 127.0.0.1 until the test ends; returns the port. */
export async function serveTrick(trick: Trick): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).once('data', () => trick(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) {
      socket.destroy();
    }
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') {
    throw new Error('the impostor has no port');
  }
  return address.port;
}

function drip(socket: Socket, start: string, piece: string): void {
  socket.write(start);
  const timer = setInterval(() => socket.write(piece), 20);
  socket.once('close', () => clearInterval(timer));
}

/** Writes `start`, then `piece` repeatedly, as fast as the client reads. */
function flood(socket: Socket, start: string, piece: string): void {
  const more = () => {
    while (!socket.destroyed && socket.write(piece)) {}
  };
  socket.on('drain', more);
  socket.write(start);
  more();
}
