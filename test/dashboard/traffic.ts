import { connections, inParallel, Visitor } from '../harness/visitor.ts';

/** So many new visitors come to an ingress, each for `visits` pages. */
export async function bringVisitors(ingressPort: number, count: number, visits = 2): Promise<void> {
  const agent = connections();
  try {
    await inParallel(Array.from({ length: count }), 16, async () => {
      const visitor = new Visitor(agent, ingressPort);
      for (let visit = 0; visit < visits; visit++) await visitor.visit('/');
    });
  } finally {
    agent.destroy();
  }
}
