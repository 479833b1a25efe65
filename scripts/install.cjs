'use strict';
// Installs what a script needs, once: `runtime` (what running the gateway needs) or `all` (tests and checks too).
// Written for any Node, because it runs before the project's own Node is there. Does nothing, and needs no
// network, when the lockfile has not changed since the last install.
var childProcess = require('child_process');
var crypto = require('crypto');
var fs = require('fs');
var path = require('path');

var root = path.join(__dirname, '..');
var scope = process.argv[2] === 'all' ? 'all' : 'runtime';

function lockHash(folder) {
  return crypto
    .createHash('sha256')
    .update(fs.readFileSync(path.join(folder, 'package-lock.json')))
    .digest('hex');
}

function marker(folder) {
  return path.join(folder, 'node_modules', '.installed.json');
}

function isInstalled(folder, wanted) {
  if (!fs.existsSync(marker(folder))) return false;
  var state = JSON.parse(fs.readFileSync(marker(folder), 'utf8'));
  return state.lock === lockHash(folder) && (state.scope === 'all' || wanted === 'runtime');
}

function install(folder, wanted) {
  if (isInstalled(folder, wanted)) return;
  // Not `npm ci`: it fails when a tool's optional package for another platform cannot be had, though nobody needs it
  // here. With --no-save the lockfile decides just the same and stays as it is.
  var args = ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  if (wanted === 'runtime') args.push('--omit=dev');
  process.stderr.write('Installing packages (' + wanted + ') in ' + (path.relative(root, folder) || '.') + ' ...\n');
  var npm = process.env.npm_execpath;
  var result = npm
    ? childProcess.spawnSync(process.execPath, [npm].concat(args), { cwd: folder, stdio: ['ignore', 2, 2] })
    : childProcess.spawnSync('npm', args, {
        cwd: folder,
        stdio: ['ignore', 2, 2],
        shell: process.platform === 'win32',
      });
  if (result.status !== 0) {
    process.stderr.write('npm install failed in ' + folder + '; see the lines above.\n');
    process.exit(result.status === null ? 1 : result.status);
  }
  fs.writeFileSync(marker(folder), JSON.stringify({ lock: lockHash(folder), scope: wanted }) + '\n');
}

install(root, scope);
if (scope === 'all') install(path.join(root, 'test', 'sdk'), 'all');
