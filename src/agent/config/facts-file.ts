import { parse } from 'yaml';
import { NodeError } from '../core/errors.ts';
import type { HostReader } from '../core/host.ts';
import type { CommandLineSetting } from './load.ts';

/** A facts file as the setting `static`: `InvalidSettings` where there is none, or it is no YAML. */
export async function factsSetting(host: HostReader, path: string): Promise<CommandLineSetting> {
  const found = await host.readFile(path);
  if (!found) throw invalid(path, 'does not exist; check the path after --facts');
  return { option: `--facts ${path}`, path: 'static', value: parseFacts(path, found.content) };
}

function parseFacts(path: string, content: string): unknown {
  try {
    return parse(content) ?? {};
  } catch (thrown) {
    throw invalid(path, `is no YAML: ${thrown instanceof Error ? thrown.message : thrown}`);
  }
}

function invalid(path: string, problem: string): NodeError {
  return new NodeError('InvalidSettings', `${path}: ${problem}`, { retry: { pace: 'slow' } });
}
