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
  const holder = document.createElement('div');
  drawn.after(holder);
  const axis = { stroke: ink, grid: { stroke: ink, width: 0.2 }, ticks: { stroke: ink, width: 0.2 } };
  new uPlot({
    width: drawn.clientWidth, height: 320, legend: { live: true },
    scales: { x: { time: false }, y: { range: (u, low, high) => [0, high * 1.1] } },
    series: [{ label: table.dataset.year }, { label: points[0][2], stroke: '#0B6E6E', width: 3, points: { show: true, size: 8 } }],
    axes: [{ ...axis, values: (u, list) => list.map(v => Number.isInteger(v) ? v : '') }, { ...axis, size: 70 }],
  }, [points.map(p => p[0]), points.map(p => p[1])], holder);
  // The drawing stays for readers of the accessibility tree.
  const aside = document.createElement('div');
  aside.className = 'hide';
  holder.before(aside);
  aside.append(drawn);
})();
