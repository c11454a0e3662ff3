import { type Case, canary } from '../world.ts';

function set(...settings: readonly string[]): readonly string[] {
  return ['config', '--root', '{root}', '--cloud', 'static', ...settings.flatMap((text) => ['--set', text])];
}

/** Invalid uses of `--set`. */
export const settingsOfTheCommandLine: readonly Case[] = [
  {
    name: '--set without =',
    args: set('k3s.upgrade'),
    source: /command line --set:/,
    problem: /takes path=value/,
    repair: /such as --set k3s\.upgrade=auto/,
  },
  {
    name: '--set without a path',
    args: set(`=${canary}`),
    source: /command line --set:/,
    problem: /takes path=value/,
    repair: /such as --set k3s\.upgrade=auto/,
  },
  {
    name: '--set of an unknown setting',
    args: set(`k3s.upgrad=${canary}`),
    source: /command line --set k3s\.upgrad: k3s\.upgrad:/,
    problem: /is not a setting/,
    repair: /did you mean `k3s\.upgrade`\?/,
  },
  {
    name: '--set of a setting without a similar name',
    args: set(`frobnicate.x=${canary}`),
    source: /command line --set frobnicate\.x: frobnicate:/,
    problem: /is not a setting/,
    repair: /known here: cloud, role/,
  },
  {
    name: '--set of a property that every JavaScript object has',
    args: set(`constructor=${canary}`),
    source: /command line --set constructor: constructor:/,
    problem: /is not a setting/,
    repair: /known here: cloud, role/,
  },
  {
    name: '--set of a value that is not YAML',
    args: set(`k3s.upgrade=[${canary}`),
    source: /command line --set k3s\.upgrade:/,
    problem: /its value is not YAML: line 1, column 9/,
    repair: /a closing quote or bracket/,
  },
  {
    name: '--set of a wrong type',
    args: set(`joinToken.attempts="${canary}"`),
    source: /command line --set joinToken\.attempts: joinToken\.attempts:/,
    problem: /must be a whole number/,
    repair: /without quotes/,
  },
  {
    name: '--set of one value instead of a list',
    args: set('registries.servers=team.azurecr.io'),
    source: /command line --set registries\.servers: registries\.servers:/,
    problem: /must be a list/,
    repair: /write it as \[value\]/,
  },
  {
    name: 'an invalid --set after a valid one',
    args: set('k3s.upgrade=auto', 'k3s.upgrade=manul'),
    source: /command line --set k3s\.upgrade: k3s\.upgrade:/,
    problem: /must be manual or auto/,
    repair: /did you mean `manual`\?/,
  },
  {
    name: 'a shell variable in single quotes',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a literal shell variable
    args: set('azure.keyVault.name=${VAULT}'),
    source: /command line --set azure\.keyVault\.name: azure\.keyVault\.name:/,
    problem: /the template variable \$\{VAULT\} was not filled in/,
    repair: /give it a value when this is rendered/,
  },
];
