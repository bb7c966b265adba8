import { InvalidArgumentError, Option } from 'commander';
import { type AddCommand, examples } from '../cli-context.ts';
import { CommandError } from '../command-error.ts';
import type { InstallationChoices } from '../installation/installation-manifests.ts';
import { collectNamespaces, namespaceScope, parseCount } from '../options.ts';
import { givenOptions } from '../target-choice.ts';

const NOTES = `
Prints the namespace, the CustomResourceDefinition, the rights, the Deployment
and what belongs to it. --namespace says where; perch-system without it.
Nothing is sent anywhere: kubectl applies it, again for an upgrade.
docs/guides/install.md has more, also for kustomize and Helm.`;

/** Options of `perch manifests`, as Commander gives them. */
interface ManifestsOptions extends InstallationChoices {
  readonly watchNamespace?: readonly string[];
  readonly readNamespace?: readonly string[];
}

/** `perch manifests`. */
export const addManifests: AddCommand = (program, context) => {
  program
    .command('manifests')
    .description('print what kubectl apply needs to run the controller in a cluster')
    .addOption(new Option('--image <image>', 'where your cluster finds the image (default: perch at this version)').argParser(parseImage))
    .addOption(new Option('--replicas <count>', 'pods of the controller; one of them leads (default: 2)').argParser(parseCount))
    .option('--existing-namespace', 'the namespace is there already: leave it and its labels alone')
    .option('--webhook', 'with the webhook that weaves what others apply on its way; its certificate: docs/guides/webhook.md')
    .addOption(
      new Option(
        '--watch-namespace <names>',
        'run releases there only, with rights there instead of everywhere: a, or a,b, or the option again',
      ).argParser(collectNamespaces),
    )
    .addOption(
      new Option('--read-namespace <names>', 'with --watch-namespace: rights to read there too, as where the gateways are').argParser(
        collectNamespaces,
      ),
    )
    .addHelpText('after', NOTES)
    .addHelpText(
      'after',
      examples(
        ['perch manifests --image registry.example/perch:1 | kubectl apply -f -', 'install, or upgrade'],
        ['perch manifests -n releases --replicas 1', 'another namespace, and one pod'],
        ['perch manifests --watch-namespace shop --read-namespace istio-system', 'rights in these two, in place of all'],
        ['perch manifests | kubectl diff -f -', 'what an upgrade would change'],
      ),
    )
    .action(async ({ watchNamespace, readNamespace, ...choices }: ManifestsOptions, command) => {
      const { namespace } = givenOptions(command);
      if (namespace !== undefined && !NAMESPACE.test(namespace)) {
        throw new CommandError(
          `${JSON.stringify(namespace)} is no name of a namespace: lower-case letters, digits and hyphens, at most 63`,
        );
      }
      const { installationManifests } = await import('../installation/installation-manifests.ts');
      context.terminal.raw(installationManifests({ ...choices, namespace, scope: namespaceScope(watchNamespace, readNamespace) }));
    });
};

const NAMESPACE = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;

/** As in a pod: `registry.example:5000/team/perch:1.2`, or with a digest. */
function parseImage(text: string): string {
  if (!/^[\w][\w.:/@-]{0,500}$/.test(text)) throw new InvalidArgumentError('It is not an image, such as registry.example/perch:0.1.0.');
  return text;
}
