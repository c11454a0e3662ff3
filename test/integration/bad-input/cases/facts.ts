import { type Case, canary } from '../world.ts';

const args = ['config', '--root', '{root}', '--cloud', 'static', '--facts', '{root}/facts.yaml'];

/** Missing, unreadable and invalid files after `--facts`. */
export const facts: readonly Case[] = [
  {
    name: 'a missing facts file',
    args,
    source: /\{root\}\/facts\.yaml:/,
    problem: /does not exist/,
    repair: /check the path after --facts/,
  },
  {
    name: 'a directory as facts file',
    args,
    files: { 'facts.yaml': { is: 'directory' } },
    source: /\{root\}\/facts\.yaml:/,
    problem: /it is not a regular file/,
    repair: /Put a file with its text there/,
  },
  {
    name: 'facts that are not YAML',
    args,
    files: { 'facts.yaml': `tags: {}\nsecrets: "${canary}` },
    source: /\{root\}\/facts\.yaml: line 2/,
    problem: /something is missing/,
    repair: /a closing quote or bracket/,
  },
  {
    name: 'facts that are a list',
    args,
    files: { 'facts.yaml': `- ${canary}` },
    source: /command line --facts \{root\}\/facts\.yaml: static:/,
    problem: /must be a map of keys and values/,
    repair: /such as \{ key: value \}/,
  },
  {
    name: 'facts with an unknown key',
    args,
    files: { 'facts.yaml': `tag: { k3s-role: ${canary} }` },
    source: /command line --facts \{root\}\/facts\.yaml: static\.tag:/,
    problem: /is not a setting/,
    repair: /did you mean `static\.tags`\?/,
  },
  {
    name: 'facts with a tag that is not text',
    args,
    files: { 'facts.yaml': 'tags: { k3s-version: 1.36 }' },
    source: /command line --facts \{root\}\/facts\.yaml: static\.tags\.k3s-version:/,
    problem: /must be text/,
    repair: /put it in quotes/,
  },
  {
    name: 'facts with an invalid address',
    args,
    files: { 'facts.yaml': 'address: 10.0.0' },
    source: /command line --facts \{root\}\/facts\.yaml: static\.address:/,
    problem: /must be an IP address/,
    repair: /such as 10\.0\.0\.4/,
  },
  {
    name: 'a login without its password file',
    args,
    files: { 'facts.yaml': `registries: { team.azurecr.io: { username: ${canary} } }` },
    source: /static\.registries\."team\.azurecr\.io"\.passwordFile:/,
    problem: /is missing/,
    repair: /give it a value/,
  },
];
