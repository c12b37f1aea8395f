"""What `--help` tells of a command, before its options and behind them."""

PURPOSES = {
    "fit": "Train, measure on the way, and test at the end.",
    "validate": "Measure a trained run as its validations do.",
    "test": "Measure a trained run as the end of its training does.",
}
"""Of those that Lightning's own Trainer has."""

MANUAL = {
    "fit": """
        Ctrl-C, SIGTERM or a closed session finishes the step, saves and exits with 130, 143 or 129; a second one exits
        at once. --resume goes on with a run, or starts it where there is none, so that one command serves a job that
        may be queued again. A
        resumed run is bitwise one that was never stopped, on the CPU with as many processes. A damaged last.ckpt is
        noticed, and previous.ckpt taken. Other settings than those of before are shown, and asked for as
        --resume.allow=KEY,...; a second run in the same directory is refused. A step whose loss or gradient is not
        finite is skipped, counted and told; --recovery.patience of them in a row send the run back to its last
        checkpoint with other random numbers, and after --recovery.attempts returns it stops and says what was wrong.
        The batch is the whole batch, which ranks and micro-batches share; minibatch standard deviation sees one rank's
        micro-batch, and so does batch normalisation without --trainer.sync_batchnorm true. trainer.precision is 32-true
        or bf16-mixed, in which penalties are still computed in float32. Metrics are a list, fidelity.metrics: fid, kid,
        is, prdc, probe (a classifier of the dataset's own classes), class-fid, memorisation; the first decides which
        checkpoint is best, and fid@dinov2, fid@torchvision:resnet50, fid@timm:NAME or fid@my.module.Extractor see
        through another network. Real statistics lie in ~/.cache/ganlit (GANLIT_CACHE); one process computes, the others
        wait. What a file names beyond ganlit, torch.nn and torch.optim is imported once you trust it, by
        --trust my.package or GANLIT_TRUST=my.package. An outage of W&B never stops a run; `wandb sync` uploads it
        later. --config configs/overlays/tensorboard.yaml takes TensorBoard instead. A run that Patience or the
        reaction Stop has ended is done, and state.json says why; --ckpt_path last goes on with it all the same. What
        other reactions of Alarms have changed is in its checkpoints and in alarms.txt. --from RUN begins with the
        networks of a trained run (its last checkpoint; also a .ckpt of one, or the weights of a generator alone,
        .safetensors or .pth, whoever has published them), of whatever task: names and shapes count. Both players and
        the average come with their buffers, such as mean styles, batch statistics, codebooks and whether these have
        started; the clock, schedules, ADA's strength and path length's mean begin as configured, and the average
        without ramp-up. --fresh lists parts that begin anew instead, --train those that learn: names as
        generator.mapping, or patterns with * and ?. What is not among them is frozen: no gradient, no step, no new
        statistics, evaluation mode; of the generator it is the average. A discriminator of which nothing is named never
        learns. FreezeD (arXiv 2002.10964) with StyleDiscriminator at 32x32, of which from_image and the first two of
        three blocks stay as they are, whether or not it knows classes:
        --train 'generator,discriminator.blocks.2,discriminator.[el]*,discriminator.features'
        --from_optimizers takes moments over, too. config.yaml keeps all of these; a resumed run does not read the other
        one again.
        """,
    "audit": """
        Copies of the game are played for a few steps on a few items of its own data: nothing is kept, no run is begun.
        It takes what fit takes, --from, --train and --fresh, too. A check that does not apply says why; of the layers
        that make a batch in parts another step than the batch in one, such as batch normalisation, minibatch statistics
        or a codebook that follows its batches, each is named, and all else is proven equal beside them. The exit code
        is 0 where no check fails, 1 where one does, 2 where the configuration itself is refused. --json FILE gets the
        same.
        """,
    "diagnose": """
        It replays the alarms of a training over the table that the run has left, metrics.csv, so that a run of an older
        detector is judged by that of today; what the run itself told (alarms.txt, guard.txt, patience.txt) stands
        beside it. Red in curves.png is where an alarm lasted. Each overlay is one change, called by the alarm it is
        against, and `fit --config RUN/config.yaml --config RUN/diagnosis/collapse.yaml` is another run. A run without
        signals is judged by its score alone. What a signal means stands in the table that is printed.
        """,
    "data check": """
        --config FILE shows what a training would be given, before there is one: the data are prepared as `fit` does it,
        and a page is drawn of the first items, each in the first passes, sources above targets, with what was drawn for
        each in a table beside it, and a summary of that is told. Whatever may stand behind `fit` may stand here, as in
        `data check photos/ --config configs/enhancement/srgan_x4.yaml --data.init_args.convert=true --picture page`.
        """,
    "sweep": """
        A sweep is a folder with a sweep.yaml in W&B's own format, which `wandb sweep` reads too (its agent's runs are
        runs/CONFIG-ID). The trials of a grid or a random search are written to trials/ before the first starts;
        method bayes asks Optuna (pip install "ganlit[sweep]") through a file. A trial that is done is never run again.
        What SLURM ends early, by time limit, preemption or `scontrol requeue`, is saved, queued again and goes on in
        the same directory and W&B run, bitwise as if nothing had been. An error is not queued again, a failed node is.
        early_terminate: {type: hyperband, min_iter: 3, eta: 3} (or max_iter and s; strict judges again at each
        validation) has a trial judge itself by metrics.csv of all trials: at each bracket of 3, 9, 27, ... validations,
        which is what min_iter counts, as W&B counts logged values of the metric, only the best 1/eta of those that have
        reached it go on; the first to come always do. type: median (min_iter, n_startup_trials), which W&B itself does
        not know, ends what is worse than the median of the others. A validation without a finite number counts as the
        worst. Such a trial is "stopped early": saved, not tested, and not run again by sweep run, submit or retry
        --failed; sweep retry --trials 7, or fit --config TRIAL --resume --early_terminate null, lets it go on to its
        end, also where that is interrupted.
        --data.init_args.stage '$TMPDIR' reads from the node's own disk; slurm/ganlit.def is a container.
        """,
}
