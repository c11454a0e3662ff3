import type { Resource } from '../engine/resource.ts';

/** What an engine must know about the server that it hands over. */
export interface GitOpsContext {
  /** The ids of the Resources after which the API is usable. */
  readonly needs: readonly string[];
  /** The K3s executable, which contains kubectl, and the kubeconfig of the cluster's admin. */
  readonly k3s: string;
  readonly kubeconfig: string;
  /** The directory for the engine's executable. */
  readonly binDir: string;
  /** The path of the trace of the job that downloads the executable. */
  readonly downloadTrace: string;
  /** The path of the trace of the job that bootstraps the engine. */
  readonly bootstrapTrace: string;
  /** The folder for temporary files of the bootstrap, which exists only until the bootstrap has ended. */
  readonly scratch: string;
  /** Slipway's own folder, which is HOME for the engine's executable. */
  readonly home: string;
  readonly arch: 'x64' | 'arm64';
}

/** The port to a GitOps engine: the Resources that hand a server over to a repository. */
export interface GitOps {
  readonly name: string;
  /** Warnings, one sentence each, about valid settings that are likely to have an unexpected effect. */
  readonly warnings: readonly string[];
  resources(context: GitOpsContext): readonly Resource[];
}
