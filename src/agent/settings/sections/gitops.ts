import * as z from 'zod/mini';
import { about } from '../about.ts';
import { gitHost, gitUrl, url } from '../address-forms.ts';
import { duration, fluxVersion, repositoryPath, secretName, words } from '../forms.ts';

const flux = about(
  'For engine flux.',
  z.strictObject({
    version: about('The Flux release.', fluxVersion),
    releaseUrl: about('Where Flux releases are downloaded from.', url),
    provider: about('Where the repository is.', z.optional(z.enum(['github', 'gitlab', 'git']))),
    owner: about('For github and gitlab: user, organisation or group.', z.optional(words)),
    repository: about('For github and gitlab: the name of the repository.', z.optional(words)),
    hostname: about('For github and gitlab: a host of your own.', z.optional(gitHost)),
    url: about('For git: the URL of the repository.', z.optional(gitUrl)),
    username: about('For git: the user name that goes with the token.', words),
    branch: about('The branch that is followed.', words),
    path: about('The folder of this cluster in the repository.', z.optional(repositoryPath)),
    personal: about('For github and gitlab: the owner is a user.', z.boolean()),
    private: about('Whether a repository that has to be created is private.', z.boolean()),
    tokenAuth: about('Whether Flux keeps using the token, rather than a deploy key.', z.boolean()),
    components: about('The controllers to install.', z.array(words)),
    componentsExtra: about('Further controllers, such as image-reflector-controller.', z.array(words)),
    interval: about('How often Flux looks for commits.', duration),
    timeout: about('How long one bootstrap may take.', duration),
    tokenSecretName: about('The secret that holds the Git token.', secretName),
  }),
);

export const gitops = about(
  'To what a server hands over its cluster.',
  z.strictObject({ engine: about('The GitOps engine.', z.enum(['none', 'flux'])), flux }),
);
