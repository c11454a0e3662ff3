/** The reasons of the Kubernetes API, and their meanings. */
export const kubernetesReasons = {
  ApiUnavailable: 'The Kubernetes API does not answer yet.',
  ApiForbidden:
    'The Kubernetes API does not accept the certificate of this node, or does not allow the request.',
  ApiConflict:
    'Another program owns a field that Slipway should write, or changed the object in the meantime.',
  ApiRejected: 'The Kubernetes API rejects an object; the message quotes the answer of the API.',
} as const;
