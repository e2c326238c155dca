// Section 4 of the paper in the plane, as in core/gaussian.py, whose names and letters these functions have. Everything
// stands in the principal axes of the data: variances, points and means are pairs. A test in a browser holds the two equal.

const HALVINGS = 64;
const NEWTON = 24;

/** Sigma_r = Sigma/2 + I/lambda + sqrt(Sigma/lambda + Sigma^2/4), theorem 2. */
function robustVariances(truth, penalty) {
  return truth.map((s) => s / 2 + 1 / penalty + Math.sqrt(s / penalty + (s * s) / 4));
}

/** The lambda at which the linear adversary of the robust fit spends eps^2 on average: tr(Sigma_r^-1) / lambda^2. */
function robustPenalty(truth, eps) {
  if (eps === 0) return Infinity;
  let [low, high] = [-690, 690];
  for (let i = 0; i < HALVINGS; i++) {
    const middle = (low + high) / 2;
    const penalty = Math.exp(middle);
    const spent = robustVariances(truth, penalty).reduce((sum, s) => sum + 1 / (penalty * s), 0) / penalty;
    if (spent > eps * eps) low = middle;
    else high = middle;
  }
  return Math.exp((low + high) / 2);
}

function robustFit(truth, eps) {
  return robustVariances(truth, robustPenalty(truth, eps));
}

/** The move of length eps that most raises the loss at v = y x - mu, lemma 1. */
function worstMove(v, model, eps) {
  if (eps === 0) return [0, 0];
  const least = Math.min(...model);
  const kappa = model.map((s) => s / least);
  const stiff = kappa.map((k) => k <= 1 + 1e-12);
  const t = excessPenalty(v, kappa, stiff, eps);
  const rest = v.map((c, i) => (stiff[i] ? 0 : c / ((1 + t) * kappa[i] - 1)));
  const left = Math.sqrt(Math.max(0, eps * eps - rest[0] ** 2 - rest[1] ** 2));
  const along = v.map((c, i) => (stiff[i] ? c : 0));
  const length = Math.hypot(...along);
  const first = stiff[0] ? [1, 0] : [0, 1];
  return rest.map((c, i) => c + left * (length > 0 ? along[i] / length : first[i]));
}

/** t >= 0 with |v / ((1 + t) kappa - 1)| = eps: Newton's method on 1/|delta|, kept inside its bracket. */
function excessPenalty(v, kappa, stiff, eps) {
  let t = Math.hypot(...v.map((c, i) => (stiff[i] ? c : 0))) / eps;
  let [low, high] = [t, Math.hypot(...v) / eps];
  for (let i = 0; i < NEWTON; i++) {
    const scale = kappa.map((k) => (1 + t) * k - 1);
    const delta = v.map((c, j) => (c === 0 ? 0 : c / scale[j]));
    const length = Math.hypot(...delta);
    if (Math.abs(length - eps) <= 1e-12 * eps) break;
    const slope = delta.reduce((sum, d, j) => sum + (d === 0 ? 0 : (d * d * kappa[j]) / scale[j]), 0);
    if (length > eps) low = t;
    else high = t;
    const ahead = t + (length ** 2 / slope) * (length / eps - 1);
    t = ahead >= low && ahead <= high ? ahead : (low + high) / 2;
  }
  return t;
}

/** The diagonal of the linear adversary with E|m v|^2 = eps^2, lemma 2. */
function linearAdversary(model, truth, eps) {
  return worstMove(truth.map(Math.sqrt), model, eps).map((d, i) => d / Math.sqrt(truth[i]));
}

/** Expected negative log-likelihood in nats, under lemma 2's adversary. */
function loss(model, truth, eps) {
  const m = linearAdversary(model, truth, eps);
  return model.reduce((sum, s, i) => sum + 0.5 * ((truth[i] * (1 + m[i]) ** 2) / s + Math.log(2 * Math.PI * s)), 0);
}

/** Degrees between the input gradient and the direction between the classes; NaN where they have one mean. */
function angle(mu, model) {
  const gradient = mu.map((c, i) => c / model[i]);
  const cosine = (mu[0] * gradient[0] + mu[1] * gradient[1]) / (Math.hypot(...mu) * Math.hypot(...gradient));
  return (Math.acos(Math.min(1, cosine)) * 180) / Math.PI;
}

/** Accuracy of the line when every point may move by eps toward it. */
function accuracy(mu, model, truth, eps, ellipse) {
  const w = mu.map((c, i) => c / model[i]);
  const margin = w[0] * mu[0] + w[1] * mu[1] - eps * Math.hypot(...w);
  const z = margin / Math.sqrt(w[0] ** 2 * truth[0] + w[1] ** 2 * truth[1]);
  if (!ellipse) return 0.5 * erfc(-z / Math.SQRT2);
  const u = Math.max(-1, Math.min(1, z / 2));
  return 0.5 + (u * Math.sqrt(1 - u * u) + Math.asin(u)) / Math.PI;
}

function erfc(x) {
  const a = Math.abs(x);
  if (a < 2.5) {
    let term = x, sum = x; // Maclaurin series of erf
    for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum) && n < 200; n++) {
      term *= (-x * x) / n;
      sum += term / (2 * n + 1);
    }
    return 1 - (2 / Math.sqrt(Math.PI)) * sum;
  }
  let tail = 0; // continued fraction
  for (let n = 80; n > 0; n--) tail = n / 2 / (a + tail);
  const value = Math.exp(-a * a) / Math.sqrt(Math.PI) / (a + tail);
  return x > 0 ? value : 2 - value;
}

/** @param {number[]} v @param {number} degrees counter-clockwise */
function turn([a, b], degrees) {
  const [c, s] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  return [c * a - s * b, s * a + c * b];
}
