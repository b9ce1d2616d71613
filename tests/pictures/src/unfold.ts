/** The panels as they stand with every row unfolded. */
import { Panel } from './dashboard';

export function unfold(panels: Panel[]): Panel[] {
  let down = 0;
  return panels.flatMap((panel) => {
    const here = lowered(panel, down);
    if (panel.type !== 'row' || !panel.collapsed) {
      return [here];
    }
    const below = panel.gridPos.y + 1;
    const inside = (panel.panels ?? []).map((one) => lowered(one, down + below - first(panel.panels!)));
    down += Math.max(0, ...inside.map(({ gridPos: { y, h } }) => y + h)) - below - down;
    return [{ ...here, collapsed: false }, ...inside];
  });
}

const first = (panels: Panel[]): number => Math.min(...panels.map(({ gridPos }) => gridPos.y));

const lowered = (panel: Panel, by: number): Panel => ({
  ...panel,
  gridPos: { ...panel.gridPos, y: panel.gridPos.y + by },
});
