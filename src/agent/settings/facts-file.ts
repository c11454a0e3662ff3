import type { HostReader } from '../engine/host.ts';
import type { CommandLineSetting } from './load.ts';
import { invalidSettings } from './problems.ts';
import { readYaml } from './yaml.ts';

/**
 * Returns the content of a facts file as the setting `static`. Throws `InvalidSettings` if the file is missing or is
 * not valid YAML.
 */
export async function factsSetting(host: HostReader, path: string): Promise<CommandLineSetting> {
  const found = await host.readFile(path);
  if (!found) {
    throw invalidSettings([`${path}: does not exist; check the path after --facts`]);
  }
  return { option: `--facts ${path}`, path: 'static', value: parseFacts(path, found.content) };
}

function parseFacts(path: string, content: string): unknown {
  const { value, faults } = readYaml(content);
  if (faults.length > 0) {
    throw invalidSettings(faults.map((fault) => `${path}: ${fault}`));
  }
  return value ?? {};
}
