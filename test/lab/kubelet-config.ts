/**
 * Parses a credential provider configuration as kubelet does, and matches images to providers.
 *
 * Models, in kubernetes pkg/credentialprovider: readCredentialProviderConfig and validateCredentialProviderConfig
 * (plugin/config.go), strict decoding (EnableStrict in plugin/plugin.go), and URLsMatch (keyring.go). Refuses
 * tokenAttributes and a folder of configurations, which are not modelled.
 */
import { parseDocument } from 'yaml';

export interface Provider {
  readonly name: string;
  readonly matchImages: readonly string[];
  /** How long kubelet caches an answer that does not specify a duration, in milliseconds. */
  readonly defaultCacheDuration: number;
  readonly apiVersion: string;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
}

/** Returns the providers of a configuration; throws the error with which kubelet would exit. */
export function readProviders(text: string): readonly Provider[] {
  const document = parseDocument(text);
  const [fault] = [...document.errors, ...document.warnings];
  if (fault) {
    throw new Error(`couldn't get version/kind; json parse error: ${fault.message}`);
  }
  const { apiVersion, kind, providers = [], ...rest } = Object(document.toJS());
  if (apiVersion === undefined) {
    throw new Error(`Object 'apiVersion' is missing in '${text.trim()}'`);
  }
  if (
    !/^kubelet\.config\.k8s\.io\/v1(alpha1|beta1)?$/.test(apiVersion) ||
    kind !== 'CredentialProviderConfig'
  ) {
    throw new Error(`no kind "${kind ?? ''}" is registered for version "${apiVersion ?? ''}"`);
  }
  refuseOthers(rest, '');
  if (!Array.isArray(providers)) {
    throw new Error('cannot unmarshal providers into []CredentialProvider');
  }
  if (providers.length === 0) {
    throw invalid('providers: Required value: at least 1 item in plugins is required');
  }
  const read = providers.map(provider);
  for (const [at, { name }] of read.entries()) {
    if (read.findIndex((other) => other.name === name) !== at) {
      throw new Error(`duplicate provider name "${name}" found in configuration file(s)`);
    }
  }
  return read;
}

function provider(found: unknown, at: number): Provider {
  const { name, matchImages, defaultCacheDuration, apiVersion, args = [], env = [], ...rest } = Object(found);
  refuseOthers(rest, `providers[${at}].`);
  if (typeof name !== 'string' || /^\.{0,2}$|[/ ]/.test(name)) {
    throw invalid(`providers.name: Invalid value: "${name}"`);
  }
  if (!apiVersion) {
    throw invalid('providers.apiVersion: Required value');
  }
  if (!/^credentialprovider\.kubelet\.k8s\.io\/v1(alpha1|beta1)?$/.test(apiVersion)) {
    throw invalid(`providers.apiVersion: Unsupported value: "${apiVersion}"`);
  }
  if (!isTexts(matchImages) || matchImages.length === 0) {
    throw invalid('providers.matchImages: Required value: at least 1 item in matchImages is required');
  }
  for (const pattern of matchImages) {
    if (!URL.canParse(`https://${pattern}`)) {
      throw invalid(`providers.matchImages: Invalid value: "${pattern}"`);
    }
  }
  if (defaultCacheDuration === undefined) {
    throw invalid('providers.defaultCacheDuration: Required value');
  }
  const duration = goDuration(defaultCacheDuration);
  if (duration < 0) {
    throw invalid('providers.defaultCacheDuration: Invalid value: must be greater than or equal to 0');
  }
  if (!isTexts(args)) {
    throw new Error('cannot unmarshal providers.args into []string');
  }
  if (![env].flat().every((each) => isTexts([each?.name, each?.value]) && Object.keys(each).length === 2)) {
    throw new Error('cannot unmarshal providers.env into []ExecEnvVar');
  }
  return { name, matchImages, defaultCacheDuration: duration, apiVersion, args, env };
}

/** Parses a Go duration (time.ParseDuration) into milliseconds; throws Go's error for any other value. */
export function goDuration(text: unknown): number {
  if (text === '0') {
    return 0;
  }
  if (typeof text !== 'string' || !/^[-+]?(\d+(\.\d*)?(ns|us|µs|ms|s|m|h))+$/.test(text)) {
    throw new Error(`time: invalid duration ${JSON.stringify(text)}`);
  }
  const units = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
  const parts = [...text.matchAll(/([\d.]+)([a-zµ]+)/g)];
  const sum = parts.reduce(
    (time, [, number, unit]) => time + Number(number) * units[unit as keyof typeof units],
    0,
  );
  return text.startsWith('-') ? -sum : sum;
}

/**
 * True if a pattern matches an image: each part of the image's host name matches the corresponding part of the pattern
 * (`*` and `?` are wildcards), the ports are equal, and the pattern's path is a literal prefix of the image's. So a
 * pattern that ends in `/*` matches no image.
 */
export function matchesImage(pattern: string, image: string): boolean {
  const [wanted, found] = [schemeless(pattern), schemeless(image)];
  if (wanted.port !== found.port || wanted.parts.length !== found.parts.length) {
    return false;
  }
  if (!found.path.startsWith(wanted.path)) {
    return false;
  }
  return wanted.parts.every((part, at) => globFits(part, found.parts[at] ?? ''));
}

function schemeless(text: string) {
  const [, host = '', port = '', path = ''] = /^([^/:]*)(?::(\d+))?(\/.*)?$/.exec(text) ?? [];
  return { parts: host.split('.'), port, path };
}

function globFits(glob: string, text: string): boolean {
  const pattern = glob
    .replace(/[\\^$.|+(){}]/g, '\\$&')
    .replaceAll('*', '[^/]*')
    .replaceAll('?', '[^/]');
  return new RegExp(`^${pattern}$`).test(text);
}

function refuseOthers(rest: object, path: string): void {
  const [field] = Object.keys(rest);
  if (field !== undefined) {
    throw new Error(`strict decoding error: unknown field "${path}${field}"`);
  }
}

function invalid(problem: string): Error {
  return new Error(`failed to validate credential provider config: ${problem}`);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
