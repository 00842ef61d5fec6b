package api_test

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/api"
	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
)

// beginner is an engine that does the first things that a campaign's workflow
// does, so that there is something to watch and to control.
type beginner struct {
	engine
	store *store.Store
}

func (b *beginner) StartCampaign(ctx context.Context, id uuid.UUID) error {
	if _, err := b.store.FreezeAudience(ctx, id); err != nil {
		return err
	}
	admission, err := b.store.Admit(ctx, id, 1, 1, 100)
	if err != nil || len(admission.Contacts) == 0 {
		return err
	}
	claim, err := b.store.Claim(ctx, store.MessageKey{CampaignID: id, ContactID: admission.Contacts[0], Type: campaign.Message1})
	if err != nil {
		return err
	}
	_, err = b.store.SettleSent(ctx, store.Acceptance{MessageID: claim.MessageID, ProviderID: "p"})
	return err
}

// runsEverything runs a script of curl commands against a real API; every one
// must succeed.
func runsEverything(t *testing.T, script string) {
	t.Helper()
	for _, tool := range []string{"bash", "curl", "jq"} {
		if _, err := exec.LookPath(tool); err != nil {
			require.Empty(t, os.Getenv("CI"), "%s is missing", tool)
			t.Skipf("%s is missing", tool)
		}
	}
	engine := &beginner{}
	s := serve(t, func(o *api.Options) {
		engine.store = o.Store
		o.Engine = engine
	})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", script)
	cmd.Dir = ".."
	cmd.Env = append(os.Environ(), "R="+s.url, "T="+adminToken, "TMPDIR="+t.TempDir())
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", output)
	t.Logf("%s", output)
}
