import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { workspaceRoot } from '../workspace.ts';

/** A resource of Kubernetes, as far as the checks look into it. */
export interface Resource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

/** What one overlay makes of the manifests. */
export interface Rendered {
  readonly name: string;
  readonly yaml: string;
  readonly resources: readonly Resource[];
}

const manifests = join(workspaceRoot, 'k8s');

/** Renders an overlay, with more components where some are named. */
export function render(kustomize: string, overlay: string, components: readonly string[] = []): Rendered {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-manifests-'));
  try {
    const from = (path: string): string => relative(folder, join(manifests, path));
    const kustomization = {
      apiVersion: 'kustomize.config.k8s.io/v1beta1',
      kind: 'Kustomization',
      resources: [from(`overlays/${overlay}`)],
      components: components.map((name) => from(`components/${name}`)),
    };
    writeFileSync(join(folder, 'kustomization.yaml'), JSON.stringify(kustomization));
    const yaml = execFileSync(kustomize, ['build', folder], {
      encoding: 'utf8',
      maxBuffer: 16 * 1024 * 1024,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    return { name: [overlay, ...components].join(' with '), yaml, resources: parseResources(yaml) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export function parseResources(yaml: string): readonly Resource[] {
  return parseAllDocuments(yaml).map((document) => document.toJS() as Resource);
}
