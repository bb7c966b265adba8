import { refText } from '../../cluster/manifest.ts';
import { ageText } from '../age.ts';
import type { ApiClient } from '../api-client.ts';
import { type AddCommand, examples, targetOf } from '../cli-context.ts';
import { describeRelease } from '../describe-release.ts';
import { type Kind, readKind } from '../kinds.ts';
import { missingObject } from '../missing-object.ts';
import { yamlText } from '../output.ts';

/** `perch describe`. */
export const addDescribe: AddCommand = (program, context) => {
  const { terminal } = context;
  program
    .command('describe')
    .description('a report about one object: of a release where it stands, its steps, requests and history')
    .argument('<kind>', 'release, virtualservice, destinationrule, gateway, serviceentry, workloadentry')
    .argument('<name>', 'its name')
    .addHelpText(
      'after',
      examples(
        ['perch describe release reviews', 'all about one release'],
        ['perch describe virtualservice reviews', 'routes as served, and whether a release is woven in'],
      ),
    )
    .action(async (kindWord: string, name: string, _options: unknown, command) => {
      const kind = readKind(kindWord);
      const { client, namespace } = targetOf(command, context);
      if (kind === 'CanaryRelease') {
        const release = await client.release(namespace, name);
        if (release === undefined) throw await missingObject(client, { kind, namespace, name });
        for (const line of describeRelease(release, Date.now(), terminal.style, terminal.size().columns)) terminal.out(line);
        return;
      }
      await describeObject(kind, namespace, name, client);
    });

  async function describeObject(kind: Kind, namespace: string, name: string, client: ApiClient): Promise<void> {
    const ref = { kind, namespace, name };
    const [served, base] = await Promise.all([client.object(ref, 'served'), client.object(ref, 'base')]);
    if (served === undefined || base === undefined) throw await missingObject(client, ref);
    const { generation, creationTimestamp } = served.metadata;
    const spec = await yamlText(served.spec);
    const isWoven = spec !== (await yamlText(base.spec));
    terminal.out(`${terminal.style.bold(refText(ref))}   ${ageText(creationTimestamp, Date.now())} old, generation ${generation}`);
    if (isWoven)
      terminal.out(`A release is woven in; perch get ${kind.toLowerCase()} ${name} --view base -o yaml shows it as it was applied.`);
    terminal.out(`\n${spec}`);
  }
};
