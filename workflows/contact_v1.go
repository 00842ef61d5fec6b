package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/relance/relance/activities"
	"github.com/relance/relance/campaign"
)

// Contact is what contacts ran that were started before v0.2.0, when nothing was
// sent ahead of them. It goes when none of them is left.
func Contact(ctx workflow.Context, in ContactInput) (campaign.RecipientState, error) {
	c := newContact(ctx, in)
	state, windowLeft, err := c.send(campaign.Message1)
	for err == nil && state == campaign.Message1Sent {
		state, windowLeft, err = c.awaitReplyV1(windowLeft)
	}
	if err == nil && state == campaign.Replied {
		state, _, err = c.send(campaign.Message2)
	}
	if err != nil {
		return state, err
	}
	return state, c.finish(state)
}

func (c *contact) awaitReplyV1(windowLeft time.Duration) (campaign.RecipientState, time.Duration, error) {
	c.describe("Message 1 left. Waiting for a reply until %s.", c.at(windowLeft))
	if c.sleep(windowLeft, "Reply window") {
		return c.send(campaign.Message2)
	}
	ctx := deciding(c.ctx, "Find the reply or close the window")
	var result activities.CloseWindowResult
	err := workflow.ExecuteActivity(ctx, c.a.CloseWindow,
		activities.CloseWindowInput{CampaignID: c.CampaignID, ContactID: c.ContactID}).Get(ctx, &result)
	if err != nil {
		return "", 0, fmt.Errorf("closing the window: %w", err)
	}
	return result.State, result.WindowLeft, nil
}
