import { isIP } from 'node:net';
import { connect } from 'node:tls';
import { within } from '../clock/deadline.ts';
import { addressOf } from './http.ts';
import { connectionError, noAnswer, timedOut } from './http-errors.ts';

/**
 * Returns the certificate of the TLS server at an https URL as PEM, without verifying it. Sends no request, and
 * bypasses any proxy. `timeout` is in milliseconds. Throws `Unreachable`, `TimedOut`, `UnexpectedAnswer`, or
 * `TlsUntrusted` if the handshake fails.
 */
export async function peerCertificate(address: string, timeout = 5_000): Promise<string> {
  const url = addressOf(address);
  const late = () => timedOut(url, timeout);
  return within(timeout, late, (signal) => shakeHands(url, signal));
}

function shakeHands(url: URL, signal: AbortSignal): Promise<string> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect({
    host,
    port: Number(url.port || 443),
    rejectUnauthorized: false,
    ...(isIP(host) === 0 && { servername: host }),
  });
  socket.once('secureConnect', () => {
    const certificate = socket.getPeerX509Certificate();
    socket.destroy();
    return certificate ? resolve(certificate.toString()) : reject(noAnswer(url, 'it shows no certificate'));
  });
  socket.on('error', (thrown) => reject(connectionError(thrown, url)));
  socket.once('close', () => reject(noAnswer(url, 'it closed the connection during the TLS handshake')));
  signal.addEventListener('abort', () => socket.destroy(), { once: true });
  return promise;
}
