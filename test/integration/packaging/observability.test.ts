import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { wholeText } from '../../unit/agent/report/metrics/a-report.ts';
import { temporaryFolder } from '../host/folder.ts';

const folder = resolve('packaging/observability');
const rulesFile = join(folder, 'slipway.rules.yaml');
const rulesTestFile = join(folder, 'slipway.rules.test.yaml');
const rulesText = readFileSync(rulesFile, 'utf8');
const rulesTestText = readFileSync(rulesTestFile, 'utf8');
const dashboardText = readFileSync(join(folder, 'dashboard.json'), 'utf8');
const page = readFileSync('docs/usage/metrics.md', 'utf8');
const runbook = readFileSync('docs/usage/runbook.md', 'utf8');

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string; readonly runbook: string };
}

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly datasource: { readonly type: string; readonly uid: string };
  readonly targets: readonly { readonly expr: string; readonly datasource: Panel['datasource'] }[];
}

const rules: readonly Rule[] = parse(rulesText).groups.flatMap(({ rules }: { rules: Rule[] }) => rules);
const dashboard: {
  readonly panels: readonly Panel[];
  readonly templating: { list: { name: string; type: string }[] };
} = JSON.parse(dashboardText);

const text = await wholeText();
/** The types of the metrics that the program exports, by name. */
const exported = new Map(
  [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => [name, type]),
);

/** Returns the names of the labels of an exported metric. */
function labelsOf(metric: string): readonly string[] {
  const [, labels = ''] = new RegExp(`^${metric}\\{(.+)\\}`, 'm').exec(text) ?? [];
  return [...labels.matchAll(/(\w+)="/g)].map(([, name = '']) => name);
}

/** Returns the names of the metrics in this text, without the suffixes of histograms. */
function named(text: string): readonly string[] {
  return [...text.matchAll(/\bslipway_[a-z0-9_]+/g)].map(([name]) => {
    const whole = name.replace(/_(bucket|sum|count)$/, '');
    return exported.get(whole) === 'histogram' ? whole : name;
  });
}

function unknown(text: string): readonly string[] {
  return named(text).filter((name) => !exported.has(name));
}

describe('the metrics', () => {
  test('match the documentation in name, type and labels', () => {
    const rows = [...page.matchAll(/^\| `(slipway_\w+)` \| (\w+) \|(.*?)\| .+ \|$/gm)];
    const documented = rows.map(([, name, type, labels]) => `${name} ${type}${labels}`.trim());
    const told = (name: string) => labelsOf(name).map((label) => `\`${label}\``);
    expect(documented.toSorted()).toEqual(
      [...exported].map(([name, type]) => `${name} ${type} ${told(name).join(', ')}`.trim()).toSorted(),
    );
    expect(unknown(page)).toEqual([]);
  });

  test('that the rules, their tests and the dashboard use are all exported', () => {
    expect([rulesText, rulesTestText, dashboardText].map(unknown)).toEqual([[], [], []]);
  });

  test('count as unknown if they are not exported', () => {
    expect(unknown('rate(slipway_pass_duration_seconds_bucket[5m]) / slipway_passes')).toEqual([
      'slipway_passes',
    ]);
  });
});

describe('the alerts', () => {
  test('match the documentation, and have tests in which they fire and tests in which they stay silent', () => {
    const alerts = rules.map(({ alert }) => alert);
    const documented = [...page.matchAll(/^\| `(Slipway\w+)` \| .+ \| (\w+) \|$/gm)];
    expect(documented.map(([, alert, severity]) => [alert, severity])).toEqual(
      rules.map(({ alert, labels }) => [alert, labels.severity]),
    );
    const tests: { alert_rule_test: { alertname: string; exp_alerts?: unknown }[] }[] =
      parse(rulesTestText).tests;
    const tried = tests.flatMap((each) => each.alert_rule_test);
    const [silent, raised] = [false, true].map((isRaised) =>
      tried.filter((each) => (each.exp_alerts !== undefined) === isRaised).map(({ alertname }) => alertname),
    );
    expect([...new Set(silent)].toSorted()).toEqual(alerts.toSorted());
    expect([...new Set(raised)].toSorted()).toEqual(alerts.toSorted());
  });

  test.each(rules.map((rule) => [rule.alert, rule] as const))(
    'have a severity, a remedy and a link: %s',
    (_, rule) => {
      const { summary, description, runbook: entry } = rule.annotations;
      expect(['warning', 'critical']).toContain(rule.labels.severity);
      expect(summary).toMatch(/^\S.{10,120}$/);
      expect(description).toMatch(/`(slipway|systemctl|journalctl) .+`|metrics\.listen/);
      // The link to the entry of a condition's reason is a template; the tests of the rules check the filled-in link.
      const reasonOf =
        /^docs\/usage\/runbook\.md#\{\{ range printf "slipway_condition_reason\{.+\| toLower \}\}\{\{ end \}\}$/;
      if (!reasonOf.test(entry)) {
        expect(anchors()).toContain(entry);
      }
    },
  );

  test('link to existing entries of the runbook, even if the link depends on the reason of a condition', () => {
    const led = [...rulesTestText.matchAll(/^ +runbook: (.+)$/gm)].map(([, entry]) => entry);
    expect(led.length).toBeGreaterThanOrEqual(rules.length);
    expect(led.filter((entry) => !anchors().includes(entry ?? ''))).toEqual([]);
  });
});

function variable(name: string): string {
  return '$'.concat(`{${name}}`);
}

/** Returns the links to all entries of the runbook, with anchors as GitHub makes them. */
function anchors(): readonly string[] {
  const headings = [...runbook.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading);
  return headings.map((heading) => `docs/usage/runbook.md#${heading.toLowerCase().replaceAll(' ', '-')}`);
}

describe('the dashboard', () => {
  const { panels, templating } = dashboard;
  const sources = { prometheus: variable('datasource'), loki: variable('loki') };

  test('uses only data sources that the user selects', () => {
    const asked = templating.list.filter(({ type }) => type === 'datasource').map(({ name }) => name);
    expect(asked).toEqual(['datasource', 'loki']);
    const used = panels.flatMap(({ datasource, targets }) => [
      datasource,
      ...targets.map((each) => each.datasource),
    ]);
    for (const { type, uid } of used) {
      expect(uid).toBe(sources[type as keyof typeof sources]);
    }
  });

  test('uses exactly its declared variables', () => {
    const used = [...dashboardText.matchAll(/\$\{?([a-z]\w*)/g)].map(([, name]) => name);
    expect([...new Set(used)].toSorted()).toEqual(templating.list.map(({ name }) => name).toSorted());
  });

  test('has panels that have unique ids and queries, and do not overlap', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, at) => `${x + (at % w)} ${y + Math.floor(at / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    for (const { targets } of panels) {
      expect(targets.length).toBeGreaterThan(0);
    }
  });
});

describe('promtool', () => {
  const missing = spawnSync('promtool', ['--version']).error !== undefined;
  const why = 'needs promtool (Debian package prometheus)';

  test('accepts the alert rules', ({ skip }) => {
    skip(missing, why);
    expect(promtool(['check', 'rules', rulesFile])).toEqual({
      status: 0,
      said: expect.stringContaining(`SUCCESS: ${rules.length} rules found`),
    });
  });

  test('reports success for the tests of the alert rules', ({ skip }) => {
    skip(missing, why);
    const { status, said } = promtool(['test', 'rules', rulesTestFile]);
    expect(said).toContain('SUCCESS');
    expect(status).toBe(0);
  });

  test('accepts the exported metrics', ({ skip }) => {
    skip(missing, why);
    expect(promtool(['check', 'metrics'], text)).toEqual({ status: 0, said: '' });
  });

  test('accepts the queries of the dashboard', async ({ skip }) => {
    skip(missing, why);
    const queries = dashboard.panels
      .filter(({ datasource }) => datasource.type === 'prometheus')
      .flatMap(({ targets }) => targets.map(({ expr }) => expr.replaceAll('$__rate_interval', '5m')));
    const records = queries.map((expr, at) => ({ record: `query:${at}`, expr }));
    const file = join(await temporaryFolder(), 'queries.json');
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'dashboard', rules: records }] }));
    expect(promtool(['check', 'rules', file])).toMatchObject({ status: 0 });
  });
});

function promtool(args: readonly string[], input = '') {
  const { status, stdout, stderr } = spawnSync('promtool', args, { input, encoding: 'utf8' });
  return { status, said: `${stdout}${stderr}` };
}

test('vmalert accepts the alert rules and their templates', ({ skip }) => {
  const { error, status, stderr } = spawnSync('vmalert', ['-dryRun', `-rule=${rulesFile}`]);
  skip(error !== undefined, 'needs vmalert (Debian package victoria-metrics)');
  expect(status, `${stderr}`).toBe(0);
});
