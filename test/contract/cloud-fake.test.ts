import { FakeCloud } from '../lab/fake-cloud.ts';
import { cloudContract } from './cloud.ts';

cloudContract('in memory', () => {
  const cloud = new FakeCloud({
    identity: { tags: { 'k3s-role': 'server' } },
    registries: ['team.azurecr.io'],
  });
  cloud.images.set('team.azurecr.io/hello/world:1', 'sha256:1a');
  return {
    cloud,
    identity: cloud.vm,
    registry: 'team.azurecr.io',
    foreignRegistry: 'other.azurecr.io',
    image: { repository: 'hello/world', tag: '1', digest: 'sha256:1a' },
    keepsVersions: true,
    setSecret: (name, value) => {
      if (value === undefined) {
        cloud.secrets.delete(name);
      } else {
        cloud.secrets.set(name, value);
      }
    },
  };
});
