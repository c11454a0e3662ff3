/**
 * Azure's wire server, as far as cloud-init uses it: the goal state, and the report that provisioning is complete.
 *
 * Models what cloud-init's Azure datasource sends and reads (cloudinit/sources/helpers/azure.py): agent name and
 * protocol version in headers, and a health report that quotes the goal state.
 */
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';

const goalState = `<?xml version="1.0" encoding="utf-8"?>
<GoalState xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <Version>2012-11-30</Version>
  <Incarnation>1</Incarnation>
  <Container>
    <ContainerId>c6d5526c-5ac2-4200-b6e2-56f2b70c5ab2</ContainerId>
    <RoleInstanceList>
      <RoleInstance>
        <InstanceId>instance</InstanceId>
        <State>Started</State>
        <Configuration></Configuration>
      </RoleInstance>
    </RoleInstanceList>
  </Container>
</GoalState>`;

export async function startWireServer(address: string): Promise<{ stop(): Promise<void> }> {
  const server = createServer(async (request, response) => {
    const { method, url, headers } = request;
    const body = await text(request);
    if (headers['x-ms-agent-name'] !== 'WALinuxAgent' || headers['x-ms-version'] !== '2012-11-30') {
      response.writeHead(400).end();
    } else if (method === 'GET' && url === '/machine/?comp=goalstate') {
      response.writeHead(200, { 'content-type': 'text/xml' }).end(goalState);
    } else if (
      method === 'POST' &&
      url === '/machine?comp=health' &&
      body.includes('<InstanceId>instance<')
    ) {
      response.writeHead(200).end();
    } else {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(80, address, resolve);
  });
  return {
    stop: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}
