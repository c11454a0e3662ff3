import { FakeCloud } from '../lab/fake-cloud.ts';
import { cloudContract } from './cloud.ts';

cloudContract('in memory', () => {
  const cloud = new FakeCloud({
    identity: { tags: { 'k3s-role': 'server' } },
    registries: ['team.azurecr.io'],
  });
  return {
    cloud,
    identity: cloud.vm,
    registry: 'team.azurecr.io',
    foreignRegistry: 'other.azurecr.io',
    setSecret: (name, value) => {
      if (value === undefined) cloud.secrets.delete(name);
      else cloud.secrets.set(name, value);
    },
  };
});
