// Makes the chart answer to the pointer. Without this file, or without uPlot, the drawn chart and the table say the same.
(() => {
  const figure = document.querySelector('#chart');
  const drawn = figure && figure.querySelector('svg.chart');
  if (!window.uPlot || !drawn) return;
  const table = document.querySelector('#figures');
  const points = [...table.querySelectorAll('tr[data-value]')]
    .map(row => [Number(row.dataset.year), Number(row.dataset.value.replace(/,/g, '')), row.dataset.unit])
    .filter(point => Number.isFinite(point[1]))
    .sort((a, b) => a[0] - b[0]);
  if (points.length < 2) return;
  const ink = getComputedStyle(drawn).color;
  const accent = getComputedStyle(document.documentElement).getPropertyValue('--accent');
  const holder = document.createElement('div');
  drawn.after(holder);
  const axis = { stroke: ink, grid: { stroke: ink, width: 0.2 }, ticks: { stroke: ink, width: 0.2 } };
  // Where nobody points, the legend names the latest figure.
  const latest = points[points.length - 1];
  const plot = new uPlot({
    width: holder.clientWidth, height: 320, legend: { live: true },
    scales: { x: { time: false }, y: { range: (u, low, high) => [0, high * 1.1] } },
    series: [{ label: table.dataset.year, value: (u, year) => year ?? latest[0] }, { label: points[0][2], value: (u, figure) => figure ?? latest[1], stroke: accent, width: 3, points: { show: true, size: 8 } }],
    axes: [{ ...axis, values: (u, list) => list.map(v => Number.isInteger(v) ? v : '') }, { ...axis, size: 70 }],
  }, [points.map(p => p[0]), points.map(p => p[1])], holder);
  new ResizeObserver(() => plot.setSize({ width: holder.clientWidth, height: 320 })).observe(holder);
  // The drawing stays for readers of the accessibility tree.
  const aside = document.createElement('div');
  aside.className = 'hide';
  holder.before(aside);
  aside.append(drawn);
})();
