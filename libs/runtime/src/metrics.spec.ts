import { createMetrics } from './metrics.ts';

describe('metrics', () => {
  it('renders counters, gauges and histograms in the text format', async () => {
    const metrics = createMetrics();
    metrics.counter({ name: 'posthorn_a_total', help: 'A.', labels: ['code'] }).inc({ code: 'ok' }, 2);
    metrics.gauge({ name: 'posthorn_b', help: 'B.' }).set(7);
    metrics.histogram({ name: 'posthorn_c_seconds', help: 'C.', buckets: [1, 2] }).observe(1.5);

    const text = await metrics.render();

    expect(metrics.contentType).toContain('text/plain');
    expect(text).toContain('posthorn_a_total{code="ok"} 2');
    expect(text).toContain('posthorn_b 7');
    expect(text).toContain('posthorn_c_seconds_bucket{le="1"} 0');
    expect(text).toContain('posthorn_c_seconds_bucket{le="2"} 1');
  });

  it('asks a gauge that collects when it is read', async () => {
    const metrics = createMetrics();
    let waiting = 3;
    metrics.gauge({ name: 'posthorn_waiting', help: 'W.', collect: (gauge) => gauge.set(waiting) });
    expect(await metrics.render()).toContain('posthorn_waiting 3');

    waiting = 4;

    expect(await metrics.render()).toContain('posthorn_waiting 4');
  });

  it('gives the same metric to whoever asks for the same name', async () => {
    const metrics = createMetrics();
    const options = { name: 'posthorn_a_total', help: 'A.' };

    metrics.counter(options).inc();
    metrics.counter(options).inc();

    expect(await metrics.render()).toContain('posthorn_a_total 2');
  });

  it('keeps registries apart', async () => {
    createMetrics().counter({ name: 'posthorn_a_total', help: 'A.' }).inc();

    expect(await createMetrics().render()).not.toContain('posthorn_a_total');
  });

  it('shows the event loop and the memory of the process where that is asked for', async () => {
    const text = await createMetrics({ process: true }).render();

    expect(text).toContain('nodejs_eventloop_lag_p99_seconds');
    expect(text).toContain('process_resident_memory_bytes');
  });
});
