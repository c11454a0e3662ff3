import { given, mapAt, type Problem } from '../../settings/path.ts';
import type { SensitiveUrl, Written } from '../../settings/section.ts';

/**
 * Returns the problems of the section `workloads`: a Secret without content or with content in two forms, and a chart
 * whose source is incomplete or contradictory, or that K3s would not install.
 */
export function workloadMisfits({ secrets, charts }: Written, settings: Written): readonly Problem[] {
  const k3s = mapAt(settings, ['k3s', 'config']);
  return [
    ...below('secrets', secrets, secretMisfits),
    ...below('charts', charts, (chart, name) => [...chartMisfits(chart), ...unusable(name, k3s)]),
  ];
}

function below(
  key: string,
  entries: unknown,
  misfits: (entry: Written, name: string) => readonly Problem[],
): readonly Problem[] {
  return Object.keys(mapAt(entries, [])).flatMap((name) =>
    misfits(mapAt(entries, [name]), name).map(({ path, message }) => ({
      path: [key, name, ...path],
      message,
    })),
  );
}

/** Returns the addresses of charts, each with the risk of plain http. */
export function sensitiveOfCharts({ charts }: Written): readonly SensitiveUrl[] {
  return Object.keys(mapAt(charts, [])).flatMap((name) =>
    ['chart', 'repo'].map((key) => ({
      path: ['charts', name, key],
      risk: 'replace the chart, which may create anything in the cluster',
    })),
  );
}

/** Returns the problems of a chart whose source is incomplete or contradicts its other settings. */
function chartMisfits(written: Written): readonly Problem[] {
  const { chart, repo } = written;
  const isArchive = /^https?:/.test(String(chart));
  const isOci = /^oci:/.test(String(chart));
  const problem = (key: string, message: string) => [{ path: [key], message }];
  if (given(repo) && (isArchive || isOci)) {
    return problem('repo', 'cannot stand beside a whole address in chart; leave out one of them');
  }
  if (given(chart) && !given(repo) && !isArchive && !isOci) {
    return problem('chart', 'is a name without a repository; set repo too, or write an oci:// address');
  }
  if (isArchive) {
    return ['version', 'authSecret']
      .filter((key) => given(written[key]))
      .flatMap((key) => problem(key, 'has no effect, since chart is the URL of an archive; leave it out'));
  }
  return given(written.version)
    ? []
    : problem(
        'version',
        'is missing; without it, K3s installs the newest chart of that day, and another one after any change',
      );
}

/** The HelmCharts that K3s creates itself, by name, each with the component that creates it. */
const packaged: Readonly<Record<string, string>> = { traefik: 'traefik', 'traefik-crd': 'traefik' };

/** Returns a problem if K3s would not install the chart, or if K3s installs a chart of its own under this name. */
function unusable(name: string, config: Written): readonly Problem[] {
  const component = packaged[name];
  if (component !== undefined && !disabled(config).includes(component)) {
    const repair = `choose another name, or set k3s.config: { disable: [${component}] }`;
    return [{ path: [], message: `is the name of a chart that K3s installs itself; ${repair}` }];
  }
  return String(config['disable-helm-controller']) === 'true'
    ? [
        {
          path: [],
          message: 'is never installed, since k3s.config sets disable-helm-controller; leave out one of them',
        },
      ]
    : [];
}

/** Returns the components that the configuration of K3s disables; K3s also accepts a list as a string with commas. */
function disabled(config: Written): readonly string[] {
  const lists = [config.disable, config['disable+']].flat();
  return lists.flatMap((each) => String(each ?? '').split(','));
}

function secretMisfits(secret: Written): readonly Problem[] {
  const keys = Object.keys(mapAt(secret.keys, []));
  const values = Object.keys(mapAt(secret.values, []));
  const both = values.filter((key) => keys.includes(key));
  if (given(secret.registry)) {
    return ['type', 'keys', 'values']
      .filter((other) => given(secret[other]))
      .map((other) => ({ path: [other], message: 'cannot stand beside registry; leave out one of them' }));
  }
  if (keys.length === 0) {
    return [
      { path: [], message: 'has no secret; name one in keys or in registry, or leave this Secret to GitOps' },
    ];
  }
  return both.map((key) => ({
    path: ['values', key],
    message: 'is in keys too; leave out one of them',
  }));
}
