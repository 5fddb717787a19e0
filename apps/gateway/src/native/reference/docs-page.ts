/**
 * The readable reference at `/docs`: Swagger UI over `/openapi.json`. Everything it loads is served from here, so it works
 * without the internet, tells no one that it is read, and a strict content security policy fits it.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { Router } from 'express';
import type { Clock } from '@posthorn/runtime';
import { sendAnswer } from '../../send-answer.ts';
import { isNoneMatch } from '../routing/etag.ts';
import { answerOtherMethods } from '../routing/other-methods.ts';
import type { Answer } from '../routing/route.ts';

const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  // Swagger UI sets style attributes in the markup that it renders.
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Posthorn API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="reference"></div>
<noscript>The reference needs JavaScript; the same as a document: <a href="/openapi.json">/openapi.json</a>.</noscript>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;

/** \`validatorUrl: null\`: the badge would send the document's address to a site of Swagger's. */
const startScript = `SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#reference',
  deepLinking: true,
  validatorUrl: null,
  docExpansion: 'list',
  defaultModelsExpandDepth: 0,
  tryItOutEnabled: false,
  persistAuthorization: false,
});
`;

interface Asset {
  readonly contentType: string;
  readonly read: () => Promise<Uint8Array>;
}

/** Every file of the page, by path. */
const assets: Readonly<Record<string, Asset>> = {
  '/docs': { contentType: 'text/html; charset=utf-8', read: textOf(html) },
  '/docs/start.js': { contentType: 'text/javascript; charset=utf-8', read: textOf(startScript) },
  '/docs/swagger-ui-bundle.js': {
    contentType: 'text/javascript; charset=utf-8',
    read: fileOf('swagger-ui-bundle.js'),
  },
  '/docs/swagger-ui.css': { contentType: 'text/css; charset=utf-8', read: fileOf('swagger-ui.css') },
};

function textOf(text: string): Asset['read'] {
  return () => Promise.resolve(Buffer.from(text, 'utf8'));
}

function fileOf(name: string): Asset['read'] {
  return () => readFile(createRequire(import.meta.filename).resolve(`swagger-ui-dist/${name}`));
}

export function createDocsRouter(clock: Clock): Router {
  const router = Router({ caseSensitive: true, strict: true });
  for (const [path, asset] of Object.entries(assets)) {
    let answer: Promise<Answer> | undefined;
    const entry = router.route(path);
    entry.get(async (req, res) => {
      const whole = await (answer ??= readAsset(asset));
      const etag = whole.headers?.['ETag'] ?? '';
      const isKnown = isNoneMatch(req.headers['if-none-match'], etag);
      sendAnswer(req, res, isKnown ? { status: 304, headers: { ...whole.headers } } : whole, clock);
    });
    entry.all(answerOtherMethods(['get'], clock));
  }
  return router;
}

async function readAsset({ contentType, read }: Asset): Promise<Answer> {
  const bytes = await read();
  return {
    status: 200,
    bytes,
    contentType,
    headers: {
      'Cache-Control': 'no-cache',
      'Content-Security-Policy': contentSecurityPolicy,
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Referrer-Policy': 'no-referrer',
      ETag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 16)}"`,
    },
  };
}
