import { html, svg, type TemplateResult } from "lit-html";
import type { HeadEvaluation } from "../../mod.ts";

const [SIZE, LEFT, TOP, BOTTOM] = [220, 46, 8, 40];

/**
 * The reliability diagram: for each range of scores, how many photos with such a score are right. Calibrated
 * scores lie on the diagonal; a bar is as wide as its range, and as dark as it has photos.
 */
export function reliabilityPlot(
  { reliability, calibrationError, count }: HeadEvaluation,
): TemplateResult {
  const filled = reliability.filter((bin) => bin.count > 0);
  const most = Math.max(...filled.map((bin) => bin.count));
  const y = (share: number) => TOP + SIZE * (1 - share);
  const x = (share: number) => LEFT + SIZE * share;
  const error = percent(calibrationError.after);
  return html`
    <figure class="reliability">
      <svg
        viewBox="0 0 ${LEFT + SIZE + 12} ${TOP + SIZE + BOTTOM}"
        role="img"
        aria-label="Reliability diagram of ${count} photos; scores are off by ${error} on average"
      >
        ${svg`<rect class="area" x=${LEFT} y=${TOP} width=${SIZE} height=${SIZE} />`}
        ${filled.map(({ range: [low, high], accuracy, confidence, count }) =>
          svg`
            <rect
              class="share"
              x=${x(low) + 1}
              y=${y(accuracy) - 1}
              width=${SIZE * (high - low) - 2}
              height=${SIZE * accuracy + 1}
              fill-opacity=${0.35 + 0.65 * count / most}
            >
              <title>${count} with a score of about ${percent(confidence)}: ${percent(
                accuracy,
              )} right</title>
            </rect>
          `
        )}
        ${svg`<line class="ideal" x1=${x(0)} y1=${y(0)} x2=${x(1)} y2=${y(1)} />`}
        ${[0, 0.5, 1].map((share) =>
          svg`
            <text x=${x(share)} y=${TOP + SIZE + 16} text-anchor="middle">${100 * share}</text>
            <text x=${LEFT - 6} y=${y(share) + 4} text-anchor="end">${100 * share}</text>
          `
        )}
        ${svg`
          <text x=${x(0.5)} y=${TOP + SIZE + 34} text-anchor="middle">score, %</text>
          <text
            transform="translate(12 ${y(0.5)}) rotate(-90)"
            text-anchor="middle"
          >share right, %</text>
        `}
      </svg>
      <figcaption>
        On the line, a score of 80 % is right 8 times in 10. Here, scores are off by ${error} on average.
      </figcaption>
    </figure>
  `;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}
