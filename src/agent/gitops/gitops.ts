import type { Resource } from '../engine/resource.ts';

/** What an engine needs to know of the server that it hands over. */
export interface GitOpsContext {
  /** The id of the Resource after which the API can be used. */
  readonly needs: readonly string[];
  /** The command that is kubectl here, and the kubeconfig of the cluster's admin. */
  readonly k3s: string;
  readonly kubeconfig: string;
  /** The directory for the engine's executable. */
  readonly binDir: string;
  /** The trace of the job that downloads it. */
  readonly downloadTrace: string;
  /** Our own folder, as HOME of the engine's executable. */
  readonly home: string;
  readonly arch: 'x64' | 'arm64';
}

/** The port to a GitOps engine: the Resources that hand a server over to a repository. */
export interface GitOps {
  readonly name: string;
  /** Settings that are valid and yet likely to surprise; one sentence each. */
  readonly warnings: readonly string[];
  resources(context: GitOpsContext): readonly Resource[];
}
