/** Marks on the curves, as Grafana draws annotations: a dashed line at each end, a shade between, a sign below the axis. */
import { colorManipulator } from '@grafana/data';
import { UPlotConfigBuilder, useTheme2 } from '@grafana/ui';
import { useLayoutEffect, useState } from 'react';
import { createPortal } from 'react-dom';
import uPlot from 'uplot';
import { Mark } from '../annotations';

interface Props {
  config: UPlotConfigBuilder;
  marks: Mark[];
  /** Boxes are not shaded, for a shade would change what their colour says. */
  shade?: boolean;
}

export function Marks({ config, marks, shade = true }: Props) {
  const [plot, setPlot] = useState<uPlot>();
  const color = useTheme2().visualization.getColorByName;
  useLayoutEffect(() => {
    config.addHook('ready', setPlot);
    config.addHook('draw', (u) => draw(u, marks, color, shade));
  }, [config]);
  const below = plot?.root.querySelector('.u-axis');
  return plot && below
    ? createPortal(
        marks.map((mark, i) => <Sign key={i} plot={plot} mark={mark} color={color(mark.color)} />),
        below,
      )
    : null;
}

function draw(u: uPlot, marks: Mark[], color: (name: string) => string, shade: boolean): void {
  const { ctx, bbox } = u;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.lineWidth = 2;
  ctx.setLineDash([5, 5]);
  for (const mark of marks) {
    const [from, to] = [mark.from, mark.to].map((at) => u.valToPos(at, 'x', true));
    ctx.strokeStyle = color(mark.color);
    ctx.fillStyle = colorManipulator.alpha(color(mark.color), 0.1);
    for (const x of new Set([from, to])) {
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    }
    if (shade) {
      ctx.fillRect(from, bbox.top, to - from, bbox.height);
    }
  }
  ctx.restore();
}

function Sign({ plot, mark, color }: { plot: uPlot; mark: Mark; color: string }) {
  const [from, to] = [mark.from, mark.to].map((at) =>
    Math.min(plot.rect.width, Math.max(0, Math.round(plot.valToPos(at, 'x')))),
  );
  return mark.from === mark.to ? (
    <div className="moment" style={{ left: from, borderBottomColor: color }} />
  ) : (
    <div className="stretch" style={{ left: from, width: to - from, background: color }} />
  );
}
