/**
 * The part of kubelet that finds the registry login for a pull: it runs a credential provider plugin, and caches the
 * plugin's answer.
 *
 * Models kubernetes pkg/credentialprovider/plugin/plugin.go (RegisterCredentialProviderPlugins, provide, ExecPlugin)
 * and the image name that pkg/kubelet/kuberuntime/kuberuntime_image.go looks up: the repository without tag and digest.
 * Stricter than kubelet in one point: refuses a negative cacheDuration, which kubelet treats as an expired answer. Not
 * modelled: the image pull secrets of pods, and service account tokens.
 */
import { spawn } from 'node:child_process';
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseDocument } from 'yaml';
import { goDuration, matchesImage, type Provider, readProviders } from './kubelet-config.ts';

export interface KubeletOptions {
  /** The value of --image-credential-provider-bin-dir. */
  readonly binDir: string;
  /** The value of --image-credential-provider-config. */
  readonly config: string;
  /** The environment of K3s, which the plugin inherits. */
  readonly env?: Readonly<Record<string, string>>;
  /** Returns the time that decides whether an answer has expired, in epoch milliseconds; the system time by default. */
  readonly now?: () => number;
  /** The time after which a running plugin is killed, in milliseconds; 60,000 by default. */
  readonly timeout?: number;
  /**
   * The command that runs a plugin in another environment, and the plugins' folder there; by default a plugin runs on
   * this machine.
   */
  readonly within?: { readonly command: readonly [string, ...string[]]; readonly binDir: string };
}

export interface Login {
  readonly username: string;
  readonly password: string;
}

export interface Kubelet {
  /** Resolves to the login that kubelet uses to pull this image; to `undefined` if kubelet would pull anonymously. */
  credentialsFor(image: string): Promise<Login | undefined>;
  /** The number of plugin runs so far. */
  readonly runs: number;
  /** The log of kubelet: one error for each call in which a plugin gave no valid answer. */
  readonly log: readonly string[];
}

type Logins = Readonly<Record<string, Login>>;

interface Answer {
  readonly logins: Logins;
  readonly expiresAt: number;
}

/**
 * Checks the configuration as kubelet does at its start, and returns the kubelet. For an invalid configuration, throws
 * kubelet's fatal error, which begins with `Failed to register CRI auth plugins: `.
 */
export function kubelet(options: KubeletOptions): Kubelet {
  const providers = registeredProviders(options).map((provider) => asked(provider, options));
  return {
    get runs() {
      return providers.reduce((sum, { runs }) => sum + runs(), 0);
    },
    get log() {
      return providers.flatMap(({ log }) => log);
    },
    async credentialsFor(image) {
      const repository = repositoryOf(image);
      const answers = await Promise.all(providers.map(({ provide }) => provide(repository)));
      const logins: Logins = Object.assign({}, ...answers);
      const [key] = Object.keys(logins)
        .filter((pattern) => matchesImage(pattern, repository))
        .sort()
        .reverse();
      return key === undefined ? undefined : logins[key];
    },
  };
}

/** Returns the configured providers; throws kubelet's error for an invalid configuration or an unusable plugin. */
export function registeredProviders({
  binDir,
  config,
}: Pick<KubeletOptions, 'binDir' | 'config'>): readonly Provider[] {
  try {
    if (!statSync(binDir, { throwIfNoEntry: false })) {
      throw new Error(`plugin binary directory ${binDir} did not exist`);
    }
    const providers = readProviders(readFileSync(config, 'utf8'));
    for (const { name } of providers) {
      refuseMissing(join(binDir, name));
    }
    return providers;
  } catch (error) {
    throw new Error(`Failed to register CRI auth plugins: ${error instanceof Error ? error.message : error}`);
  }
}

/**
 * Throws kubelet's error for a missing or unusable plugin. The message of kubelet 1.36 does not name a missing plugin.
 */
function refuseMissing(plugin: string): void {
  const found = statSync(plugin, { throwIfNoEntry: false });
  if (!found) {
    throw new Error('plugin binary executable  did not exist');
  }
  try {
    if (found.isDirectory()) {
      throw new Error('is a directory');
    }
    accessSync(plugin, constants.X_OK);
  } catch {
    throw new Error(`error inspecting binary executable ${plugin}: permission denied`);
  }
}

/** Returns a provider with its own cache and log; concurrent calls for one image share one run of the plugin. */
function asked(provider: Provider, options: KubeletOptions) {
  const { now = Date.now } = options;
  const log: string[] = [];
  const remembered = new Map<string, Answer>();
  const running = new Map<string, Promise<Answer & { readonly key: string }>>();
  let runs = 0;

  async function provide(image: string): Promise<Logins> {
    if (!provider.matchImages.some((pattern) => matchesImage(pattern, image))) {
      return {};
    }
    const known = [image, registryOf(image), 'global']
      .map((key) => remembered.get(key))
      .find((answer) => answer !== undefined && now() <= answer.expiresAt);
    if (known) {
      return known.logins;
    }
    try {
      const answer = await once(image);
      if (answer.expiresAt > now()) {
        remembered.set(answer.key, answer);
      }
      return answer.logins;
    } catch (error) {
      log.push(
        `Failed getting credential from external registry credential provider: ${Object(error).message}`,
      );
      return {};
    }
  }

  async function once(image: string) {
    const earlier = running.get(image);
    if (earlier) {
      return earlier;
    }
    runs += 1;
    const run = runPlugin(provider, image, options).then((text) => readAnswer(text, provider, image, now()));
    running.set(image, run);
    return run.finally(() => running.delete(image));
  }

  return { provide, log, runs: () => runs };
}

async function runPlugin(provider: Provider, image: string, options: KubeletOptions): Promise<string> {
  const { binDir, env = {}, timeout = 60_000, within } = options;
  const own = Object.fromEntries(provider.env.map(({ name, value }) => [name, value]));
  const [file, ...first] = within
    ? ([...within.command, join(within.binDir, provider.name)] satisfies string[])
    : [join(binDir, provider.name)];
  const child = spawn(file ?? '', [...first, ...provider.args], { env: { ...env, ...own } });
  const [stdout, stderr] = [text(child.stdout), text(child.stderr)];
  // Ignore a broken pipe: a plugin may exit without reading its request.
  child.stdin.on('error', () => undefined);
  child.stdin.end(
    `${JSON.stringify({ kind: 'CredentialProviderRequest', apiVersion: provider.apiVersion, image })}\n`,
  );
  const ended = new Promise<string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) =>
      resolve(code === null ? `signal: ${signal}` : `exit status ${code}`),
    );
  });
  const timer = new AbortController();
  const killed = sleep(timeout, true, { signal: timer.signal }).then(
    () => child.kill('SIGKILL'),
    () => false,
  );
  const end = await ended.finally(() => timer.abort());
  const fault = (await killed) ? 'context deadline exceeded' : end;
  if (fault !== 'exit status 0') {
    const what = `error execing credential provider plugin ${provider.name} for image ${image}`;
    throw new Error(`${what}: ${fault}: ${await stderr}`);
  }
  return stdout;
}

async function text(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) {
    chunks.push(Buffer.from(chunk));
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Parses the answer of a plugin; throws kubelet's error for an invalid answer, without quoting a password. */
function readAnswer(
  text: string,
  provider: Provider,
  image: string,
  now: number,
): Answer & { readonly key: string } {
  const { apiVersion, kind, cacheKeyType, cacheDuration, auth = {}, ...rest } = oneDocument(text);
  if (apiVersion !== provider.apiVersion) {
    throw new Error(
      `apiVersion from credential plugin response did not match expected apiVersion:${provider.apiVersion}, actual apiVersion:${apiVersion ?? ''}`,
    );
  }
  if (kind !== 'CredentialProviderResponse' || Object.keys(rest).length > 0 || !isLogins(auth)) {
    throw undecodable();
  }
  const keys: Readonly<Record<string, string>> = {
    Image: image,
    Registry: registryOf(image),
    Global: 'global',
  };
  const key = Object.hasOwn(keys, cacheKeyType) ? keys[cacheKeyType] : undefined;
  if (key === undefined) {
    throw new Error(
      `credential provider plugin did not return a valid cacheKeyType: "${cacheKeyType ?? ''}"`,
    );
  }
  const duration =
    cacheDuration === undefined ? provider.defaultCacheDuration : decodedDuration(cacheDuration);
  return { key, logins: auth, expiresAt: now + duration };
}

function oneDocument(text: string) {
  try {
    const found = JSON.parse(text);
    // Strict decoding rejects a repeated key, which JSON.parse accepts.
    if (parseDocument(text).errors.length > 0) {
      throw undecodable();
    }
    return Object(found);
  } catch {
    throw undecodable();
  }
}

function decodedDuration(text: unknown): number {
  try {
    const duration = goDuration(text);
    if (duration >= 0) {
      return duration;
    }
  } catch {}
  throw undecodable();
}

function isLogins(auth: unknown): auth is Logins {
  return (
    Object(auth) === auth &&
    Object.values(Object(auth)).every((login) => {
      const { username = '', password = '', ...rest } = Object(login);
      const isTexts = typeof username === 'string' && typeof password === 'string';
      return Object(login) === login && isTexts && Object.keys(rest).length === 0;
    })
  );
}

function undecodable(): Error {
  return new Error('error decoding credential provider plugin response from stdout');
}

/** Returns the full name of an image without tag and digest, such as `docker.io/library/alpine` for `alpine:3.22`. */
function repositoryOf(image: string): string {
  const name = image.replace(/@.*$/, '').replace(/:[^:/]*$/, '');
  const [first = '', ...rest] = name.split('/');
  if (rest.length > 0 && /[.:]|^localhost$/.test(first)) {
    return name;
  }
  return `docker.io/${rest.length > 0 ? name : `library/${name}`}`;
}

function registryOf(image: string): string {
  return image.split('/')[0] ?? '';
}
